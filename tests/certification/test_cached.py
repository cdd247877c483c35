"""The reference x* from the cache: believed only where it is this instance's."""

from __future__ import annotations

import numpy as np
import pytest

from softres.certification import cached, minimiser
from softres.certification.cached import certified_minimiser
from softres.common.cache import load_arrays, save_arrays, set_aside
from softres.common.errors import InputError

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def problem(plant, make_regularised):
    instance = plant(0)
    return make_regularised("softres", instance.A, instance.b, 1e-2)


@pytest.fixture
def solves(monkeypatch):
    """The calls of the solver."""
    calls = []
    real = minimiser.solve

    def counted(*arguments, **options):
        calls.append(arguments)
        return real(*arguments, **options)

    monkeypatch.setattr(minimiser, "solve", counted)
    return calls


def test_the_second_call_reads_the_cache(problem, solves, tmp_path):
    x0 = problem.start()
    x, certificate = certified_minimiser(problem, x0, "key", tmp_path)
    assert len(solves) == 1
    again, same = certified_minimiser(problem, x0, "key", tmp_path)
    assert len(solves) == 1
    np.testing.assert_array_equal(again, x)
    assert same == certificate
    assert {field: type(value) for field, value in vars(same).items()} == {
        field: type(value) for field, value in vars(certificate).items()
    }


def test_another_key_or_another_version_is_solved_anew(problem, solves, tmp_path, monkeypatch):
    for key in ("one", "two"):
        certified_minimiser(problem, problem.start(), key, tmp_path)
    assert len(solves) == 2
    monkeypatch.setattr(cached, "VERSION", cached.VERSION + 1)
    certified_minimiser(problem, problem.start(), "one", tmp_path)
    assert len(solves) == 3


def test_a_damaged_file_is_set_aside_and_the_next_call_works(problem, solves, tmp_path):
    x, _ = certified_minimiser(problem, problem.start(), "key", tmp_path)
    (file,) = (tmp_path / "arrays").glob("reference-*.npz")
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    with pytest.raises(InputError, match=r"is damaged .* set aside as .* run again"):
        certified_minimiser(problem, problem.start(), "key", tmp_path)
    assert not file.exists()
    assert len(list(file.parent.glob("reference-*.damaged-*"))) == 1
    again, certificate = certified_minimiser(problem, problem.start(), "key", tmp_path)
    assert len(solves) == 2
    assert certificate.certified
    np.testing.assert_array_equal(again, x)


def test_a_sound_file_of_something_else_is_damaged_too(problem, tmp_path):
    certified_minimiser(problem, problem.start(), "key", tmp_path)
    (file,) = (tmp_path / "arrays").glob("reference-*.npz")
    set_aside(file)
    cached.cached_arrays(file, lambda: {"y": np.zeros(3)})
    with pytest.raises(InputError, match="set aside"):
        certified_minimiser(problem, problem.start(), "key", tmp_path)


def with_nan(stored, other):
    return stored | {"x": np.full_like(stored["x"], np.nan)}


def of_another_instance(stored, other):
    return other


def another_minimiser(stored, other):
    return stored | {"x": other["x"]}


def of_another_length(stored, other):
    return stored | {"x": np.append(stored["x"], 0.0)}


def in_single(stored, other):
    return stored | {"x": stored["x"].astype(np.float32)}


def rank_in_words(stored, other):
    return stored | {"rank": np.asarray("six")}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (with_nan, "not this instance's minimiser"),
        (of_another_instance, "of another instance"),
        (another_minimiser, "not this instance's minimiser"),
        (of_another_length, r"shape \(7,\)"),
        (in_single, "in float32"),
        (rank_in_words, "its rank is no int"),
    ],
)
def test_what_is_not_this_instances_minimiser_is_set_aside(
    problem, plant, make_regularised, tmp_path, change, words
):
    other = plant(1)
    another = make_regularised("softres", other.A, other.b, 1e-2)
    x, certificate = certified_minimiser(problem, problem.start(), "key", tmp_path)
    (file,) = (tmp_path / "arrays").glob("reference-*.npz")
    certified_minimiser(another, another.start(), "another", tmp_path)
    (second,) = set((tmp_path / "arrays").glob("reference-*.npz")) - {file}
    stored, of_other = load_arrays(file), load_arrays(second)
    save_arrays(file, **change(stored, of_other))
    with pytest.raises(InputError, match=words) as refused:
        certified_minimiser(problem, problem.start(), "key", tmp_path)
    assert "set aside" in str(refused.value)
    again, same = certified_minimiser(problem, problem.start(), "key", tmp_path)
    np.testing.assert_array_equal(again, x)
    assert same == certificate


def test_a_minimiser_from_the_cache_costs_two_passes(problem, tmp_path, make_regularised, plant):
    certified_minimiser(problem, problem.start(), "key", tmp_path)
    before = problem.matrix.counter.passes
    certified_minimiser(problem, problem.start(), "key", tmp_path)
    assert problem.matrix.counter.passes == before + 2


def test_what_could_not_be_certified_is_cached_as_that(tmp_path, plant, make):
    # Without weights there may be no minimiser inside; what was found is kept as it is.
    instance = plant(3, n=8, d=6)
    problem = make("exp", instance.A, instance.b)
    x, certificate = certified_minimiser(problem, problem.start(), "key", tmp_path)
    again, same = certified_minimiser(problem, problem.start(), "key", tmp_path)
    np.testing.assert_array_equal(again, x)
    assert str(same) == str(certificate)
