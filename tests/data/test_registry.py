"""Each kind of instance by its name: its size, its fingerprint, its scale."""

from __future__ import annotations

import numpy as np
import pytest

from softres.common.errors import InputError
from softres.data.registry import DATA
from softres.data.sets.digits import Digits
from softres.data.sets.file import File
from softres.data.sets.synthetic import Synthetic, make_synthetic


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "mine.npz"
    np.savez(path, A=np.random.default_rng(0).standard_normal((20, 3)), b=np.full(20, 0.05))
    return File(path=str(path))


def test_the_names_are_those_of_the_command_line():
    assert set(DATA) == {
        "synthetic",
        "file",
        "streamed",
        "digits",
        "unembedding_minilm",
        "unembedding_smollm2",
        "attention_smollm2",
        "flights",
        "word_ngrams",
        "babynames",
    }


def test_synthetic_data_are_made_as_asked():
    options = Synthetic(noise=0.2)
    assert options.size(50, 4, 2.0) == (50, 4)
    made, direct = options.load(50, 4, 2.0, 7), make_synthetic(50, 4, 2.0, 7, options)
    np.testing.assert_array_equal(made.A, direct.A)
    np.testing.assert_array_equal(made.b, direct.b)


@pytest.mark.parametrize(
    ("size", "message"),
    [
        ((0, 4, 2.0), "n=0: allowed is a whole number >= 1"),
        ((9, -1, 2.0), "d=-1: allowed is a whole number >= 1"),
        ((None, 4, 2.0), "n=None: allowed"),
        ((3, 4, 2.0), "n=3: .* d=4"),
        ((9, 4, None), "R=null: data=synthetic needs a number"),
    ],
)
def test_synthetic_data_need_a_size_and_a_norm(size, message):
    with pytest.raises(InputError, match=message):
        Synthetic().size(*size)


def test_real_data_come_as_they_are_or_scaled():
    plain, scaled = (Digits().load(1797, 64, R, 0) for R in (None, 4.0))
    norm = np.linalg.norm(plain.A, 2)
    assert norm > 100
    assert np.linalg.norm(scaled.A, 2) == pytest.approx(4.0, rel=1e-12)
    np.testing.assert_allclose(scaled.A * (norm / 4), plain.A, atol=1e-12)
    np.testing.assert_array_equal(scaled.b, plain.b)
    assert scaled.labels == plain.labels


def test_a_file_has_the_size_of_its_matrix(file):
    assert file.size(None, None, None) == (20, 3)
    assert file.size(20, 3, None) == (20, 3)
    with pytest.raises(InputError, match=r"n=21: .*mine\.npz has n=20; leave it out"):
        file.size(21, None, None)


def test_a_file_can_be_scaled(file):
    assert np.linalg.norm(file.load(20, 3, 5.0, 0).A, 2) == pytest.approx(5.0, rel=1e-12)


def test_a_changed_file_is_another_instance(file):
    before = file.fingerprint()
    assert file.load(20, 3, None, 0).b[0] == 0.05
    assert file.fingerprint() == before
    np.savez(file.path, A=np.eye(5, 2), b=np.full(5, 0.2))
    assert file.fingerprint() != before
    assert file.size(None, None, None) == (5, 2)
    assert file.load(5, 2, None, 0).b[0] == 0.2


def test_data_that_the_options_say_all_about_need_no_fingerprint():
    assert Synthetic().fingerprint() == Digits().fingerprint() == ""


def test_a_matrix_of_zeros_cannot_be_scaled(tmp_path):
    path = tmp_path / "zeros.npz"
    np.savez(path, A=np.zeros((5, 2)), b=np.full(5, 0.2))
    with pytest.raises(InputError, match="R=4"):
        File(path=str(path)).load(5, 2, 4.0, 0)
