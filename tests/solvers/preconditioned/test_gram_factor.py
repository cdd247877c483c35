"""The first Gram matrix: float32 only where it cannot matter, and a sketch close to it."""

from __future__ import annotations

import math

import numpy as np
import pytest

from softres.data.sets.synthetic import Synthetic, make_synthetic
from softres.matrices import as_matrix
from softres.matrices.backends import as_numpy
from softres.solvers.preconditioned.gram_factor import form_gram, form_sketch

pytestmark = pytest.mark.usefixtures("one_thread")

N, D = 2000, 12


def instance(condition, rows="gaussian"):
    return make_synthetic(N, D, 3.0, 0, Synthetic(condition=condition, rows=rows)).A


def error(matrix, diagonal, *, single):
    """Return the largest error of form_gram over the largest entry of |A|^T |D| |A|."""
    A = as_numpy(matrix.array)
    exact = A.T @ (diagonal[:, None] * A)
    size = np.abs(A).T @ (np.abs(diagonal)[:, None] * np.abs(A))
    found, _ = form_gram(matrix, diagonal, single)
    return np.abs(found - exact).max() / size.max()


@pytest.fixture(params=["equal", "spread"])
def diagonal(request):
    """Positive entries: all alike, or over two orders of magnitude."""
    rng = np.random.default_rng(1)
    return np.ones(N) if request.param == "equal" else np.exp(2.0 * rng.standard_normal(N))


def test_single_precision_is_used_where_the_condition_allows_it(diagonal):
    found = error(as_matrix(instance(10.0)), diagonal, single=True)
    assert 1e-10 < found < 1e-5


def test_it_is_not_used_where_nobody_allows_it(diagonal):
    assert error(as_matrix(instance(10.0)), diagonal, single=False) < 1e-14


@pytest.mark.parametrize("condition", [1e4, 1e6])
def test_double_precision_is_kept_where_the_smallest_eigenvalue_would_drown(diagonal, condition):
    assert error(as_matrix(instance(condition)), diagonal, single=True) < 1e-14


def test_double_precision_is_kept_where_the_beginning_is_indefinite():
    signs = np.ones(N)
    signs[: 2 * D] = -1.0
    assert error(as_matrix(instance(10.0)), signs, single=True) < 1e-14


def spectral_error(A, diagonal):
    """Return the error of form_gram in the norm of the exact matrix."""
    lower = np.linalg.cholesky(A.T @ (diagonal[:, None] * A))
    found, any_row = form_gram(as_matrix(A), diagonal, single=True)
    whitened = np.linalg.solve(lower, np.linalg.solve(lower, found).T)
    return float(np.abs(np.linalg.eigvalsh(whitened) - 1.0).max()), any_row


@pytest.mark.parametrize("condition", [1.0, 1e2, 1e4, 1e5])
def test_where_few_rows_carry_some_directions_the_others_are_light(
    diagonal, condition, in_single, record_property
):
    A = instance(condition, "coherent")
    found, any_row = spectral_error(A, diagonal)
    record_property("spectral error", found)
    assert found <= 0.1
    assert not any_row  # the heavy ones are not to be rounded, later either
    if condition <= 1e2 and diagonal.max() == 1.0:
        assert in_single == [False, False, True]
        assert found <= 1e-3


def test_rows_in_single_precision_are_taken_again_where_they_were_not_light(in_single):
    # All directions are there after the heavy rows, but the others weigh as much.
    A = instance(1e5)
    A[: 2 * D, 0] = 0.0
    found, _ = spectral_error(A, np.ones(N))
    assert in_single == [False, False, True, False]
    assert found <= 1e-4


def test_double_precision_is_kept_where_heavy_rows_leave_directions_out(in_single):
    A = instance(10.0)
    A[:, 0] = A[:, 1]  # no row can tell them apart
    form_gram(as_matrix(A), np.ones(N), single=True)
    assert not any(in_single)


@pytest.mark.parametrize("scale", [1e-25, 1e20, 1e40])
@pytest.mark.parametrize("rows", ["gaussian", "coherent"])
def test_double_precision_is_kept_beyond_the_range_of_single_precision(scale, rows, in_single):
    A = scale * instance(1.0, rows)
    gram, any_row = form_gram(as_matrix(A), np.ones(N), single=True)
    assert not any_row
    assert not any(in_single)
    np.testing.assert_allclose(gram, A.T @ A, rtol=0, atol=1e-12 * np.abs(A.T @ A).max())


def test_double_precision_is_kept_for_few_rows():
    rows = 8 * D - 1
    matrix = as_matrix(np.ascontiguousarray(instance(10.0)[:rows]))
    assert error(matrix, np.ones(rows), single=True) < 1e-14


@pytest.mark.parametrize("single", [False, True])
@pytest.mark.parametrize("condition", [10.0, 1e6])
def test_it_counts_as_one_gram_matrix_and_no_pass(diagonal, condition, single):
    matrix = as_matrix(instance(condition))
    form_gram(matrix, diagonal, single)
    assert (matrix.counter.grams, matrix.counter.passes) == (1, 0)


def test_other_storages_give_their_exact_gram_matrix(kind, diagonal):
    if kind.name == "dense-numpy":
        pytest.skip("the storage with a short cut")
    A = instance(10.0)
    matrix = as_matrix(kind(A))
    gram, in_single = form_gram(matrix, matrix.asarray(diagonal), single=True)
    found = as_numpy(gram)
    assert not in_single
    exact = A.T @ (diagonal[:, None] * A)
    np.testing.assert_allclose(found, exact, rtol=0, atol=1e-13 * np.abs(exact).max())
    assert matrix.counter.grams == 1


def test_a_matrix_in_single_precision_stays_so():
    matrix = as_matrix(instance(10.0).astype(np.float32))
    gram, _ = form_gram(matrix, np.ones(N, dtype=np.float32), single=True)
    assert gram.dtype == np.float32


@pytest.mark.parametrize("rows", ["gaussian", "coherent"])
@pytest.mark.parametrize("oversampling", [8, 16, 32])
def test_a_sketch_is_spectrally_close_to_the_gram_matrix(
    kind, diagonal, rows, oversampling, record_property
):
    A = instance(100.0, rows)
    lower = np.linalg.cholesky(A.T @ (diagonal[:, None] * A))
    matrix = as_matrix(kind(A))
    worst = 0.0
    for seed in range(3):
        rng = np.random.default_rng(seed)
        found = as_numpy(form_sketch(matrix, matrix.asarray(diagonal), oversampling, rng))
        whitened = np.linalg.solve(lower, np.linalg.solve(lower, found).T)
        worst = max(worst, float(np.abs(np.linalg.eigvalsh(whitened) - 1.0).max()))
    record_property("spectral error", worst)
    # A Gaussian sketch's eigenvalues would lie within (1 +- 1/sqrt(g))^2.
    assert worst <= 1.3 * (2.0 / math.sqrt(oversampling) + 1.0 / oversampling)
    assert matrix.counter.grams == 0


def test_a_sketch_of_few_rows_has_no_more_rows_than_the_matrix():
    A = instance(10.0)[:20]
    matrix = as_matrix(np.ascontiguousarray(A))
    found = form_sketch(matrix, np.ones(20), 8, np.random.default_rng(0))
    assert np.linalg.matrix_rank(found) <= 20
    assert found.shape == (D, D)
