"""Real data by name: sizes without loading, scaling with the planted solution."""

from __future__ import annotations

import numpy as np
import pytest

from softres.common.errors import InputError
from softres.data.base import scaled
from softres.data.fetch import source
from softres.data.instance import Instance
from softres.data.registry import published

#: n, d, and the megabytes that the first use downloads.
PUBLISHED = {
    "digits": (1797, 64, 0),
    "unembedding_minilm": (30522, 384, 141),
    "unembedding_smollm2": (49152, 576, 150),
    "attention_smollm2": (7168, 64, 93),
    "flights": (336776, 4556, 9),
    "word_ngrams": (321180, 2000, 57),
    "babynames": (1924665, 3276, 6),
}

NEEDS_READERS = ("unembedding_minilm", "unembedding_smollm2", "attention_smollm2", "word_ngrams")


@pytest.mark.parametrize("name", published())
def test_each_has_a_size_before_anything_is_loaded(name, offline, tmp_path, monkeypatch):
    monkeypatch.setenv("SOFTRES_CACHE", str(tmp_path))
    n, d, _ = PUBLISHED[name]
    options = published()[name]()
    assert options.size(None, None, None) == (n, d)
    assert options.size(n, d, 3.0) == (n, d)
    for size in ((100, None, None), (None, 5, None), (d, n, None)):
        with pytest.raises(InputError, match=rf"[nd]=(100|5|{d}): data={name} has"):
            options.size(*size)
    assert options.fingerprint() == ""
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", published())
def test_data_that_nothing_here_can_read_are_refused_unless_they_are_cached(
    name, tmp_path, monkeypatch
):
    monkeypatch.setenv("SOFTRES_CACHE", str(tmp_path))
    monkeypatch.setattr(source, "find_spec", lambda name: None)
    size, options = PUBLISHED[name][:2], published()[name]()
    if name in NEEDS_READERS:
        with pytest.raises(InputError, match=rf"^data={name}: needs .*\[data\]'$"):
            options.size(None, None, None)
        options.arrays_path().parent.mkdir(parents=True)
        options.arrays_path().touch()
    assert options.size(None, None, None) == size


@pytest.mark.parametrize("name", published())
def test_each_says_what_it_downloads_and_where_it_is_kept(name, tmp_path, monkeypatch):
    monkeypatch.setenv("SOFTRES_CACHE", str(tmp_path))
    kind = published()[name]
    packages = kind.source.packages if kind.source else ()
    megabytes = sum(package.megabytes for package in packages)
    assert megabytes == pytest.approx(PUBLISHED[name][2], abs=0.5)
    assert all(len(package.sha256) == 64 for package in packages)
    path = kind().arrays_path()
    assert (path is None) == (not packages)
    assert path is None or path.is_relative_to(tmp_path)


def test_the_number_of_tokens_is_the_number_of_rows():
    kind = published()["attention_smollm2"]
    assert kind(tokens=500).size(None, None, None) == (500, 64)
    assert kind(tokens=500).arrays_path() != kind().arrays_path()
    assert kind(query="1").arrays_path() == kind().arrays_path()
    with pytest.raises(InputError, match=r"n=7168: data=attention_smollm2 has n=500"):
        kind(tokens=500).size(7168, None, None)


def test_scaling_keeps_what_the_planted_solution_fits():
    A = np.random.default_rng(0).standard_normal((30, 4))
    x = np.arange(1.0, 5.0)
    instance = Instance("digits", A, np.full(30, 1 / 30), planted=x)
    found = scaled(instance, 2.0)
    assert np.linalg.norm(found.A, 2) == pytest.approx(2.0, rel=1e-12)
    np.testing.assert_allclose(found.A @ found.planted, A @ x, rtol=1e-12)
    assert scaled(instance, None) is instance
