"""The null space of A: its dimension, an orthonormal basis, and that solvers stay out of it."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import linalg

from softres.linalg.factors import cholesky
from softres.linalg.nullspace import null_basis, null_basis_of, null_of_gram, null_within
from softres.matrices import as_matrix
from softres.matrices.backends import as_numpy
from softres.solvers import solve

SOLVERS = ("exact_newton", "approx_newton", "gradient_descent")


@pytest.fixture(scope="module")
def deficient(plant):
    """Return a function that makes a matrix whose last columns others can stand for."""

    def make_deficient(missing, *, density=1.0, spread=1.0):
        A = plant(0, 200, 6, density=density).A * np.geomspace(1.0, spread, 6)
        columns = [A, A @ np.random.default_rng(1).standard_normal((6, missing))]
        return np.hstack(columns)

    return make_deficient


def check(A, N, dimension):
    d = A.shape[1]
    N = as_numpy(N)
    assert N.shape == (d, dimension)
    np.testing.assert_allclose(N.T @ N, np.eye(dimension), atol=1e-14)
    assert np.linalg.norm(A @ N, 2) <= 10 * np.finfo(float).eps * np.linalg.norm(A, 2)


@pytest.mark.parametrize("missing", [1, 3])
def test_basis_of_a_rank_deficient_matrix(deficient, kind, missing):
    A = deficient(missing, density=0.5 if kind.is_sparse else 1.0)
    N = null_basis(as_matrix(kind(A)))
    check(A, N, missing)
    # The same subspace as that of a singular value decomposition.
    assert linalg.subspace_angles(as_numpy(N), linalg.null_space(A)).max() <= 1e-12


def test_a_matrix_of_full_rank_has_none(plant, kind):
    A = plant(0, 200, 6).A
    assert as_numpy(null_basis(as_matrix(kind(A)))).shape == (6, 0)


def test_columns_of_zeros_are_null_vectors(plant, kind):
    A = plant(0, 200, 6).A.copy()
    A[:, [1, 4]] = 0.0
    N = as_numpy(null_basis(as_matrix(kind(A))))
    check(A, N, 2)
    np.testing.assert_allclose(N @ N.T, np.diag([0.0, 1, 0, 0, 1, 0]), atol=1e-14)


def test_a_matrix_of_zeros_has_nothing_else(kind):
    check(np.zeros((5, 3)), null_basis(as_matrix(kind(np.zeros((5, 3))))), 3)
    assert null_of_gram(np.zeros((3, 3))).shape == (3, 3)


def test_columns_on_scales_far_apart_are_no_null_vectors(deficient, kind):
    A = deficient(1, spread=1e-6)
    check(A, null_basis(as_matrix(kind(A))), 1)
    small = A[:, :6] * np.geomspace(1.0, 1e-10, 6)
    assert as_numpy(null_basis(as_matrix(kind(small)))).shape == (6, 0)


def test_it_costs_one_gram_matrix_and_five_passes_a_null_vector(deficient, plant):
    full, short = as_matrix(plant(0, 200, 6).A), as_matrix(deficient(2))
    null_basis(full)
    null_basis(short)
    assert (full.counter.grams, full.counter.passes) == (1, 0)
    assert (short.counter.grams, short.counter.passes) == (1, 10)


@pytest.mark.parametrize("null", [0, 1, 9, 30])
def test_the_null_space_is_found_whatever_its_size(null):
    rng = np.random.default_rng(null)
    V = np.linalg.qr(rng.standard_normal((40, 40)))[0][:, null:]
    A = rng.standard_normal((100, 40)) @ (V @ V.T) * np.geomspace(1e-3, 1.0, 40)
    check(A, null_basis(as_matrix(A)), null)
    rough = null_of_gram(A.T @ A)
    assert rough.shape == (40, null)
    assert np.abs(A @ rough).max(initial=0.0) <= 1e-8 * np.linalg.norm(A)


@pytest.mark.parametrize("condition", [1e2, 1e4, 1e6])
def test_the_error_grows_with_the_condition_and_not_with_its_square(condition, record_property):
    rng = np.random.default_rng(0)
    U, V = (np.linalg.qr(rng.standard_normal((n, 30)))[0] for n in (200, 30))
    A = (U * np.r_[np.geomspace(1.0, 1.0 / condition, 25), np.zeros(5)]) @ V.T
    N = null_basis(as_matrix(A))
    assert N.shape == (30, 5)
    angle = float(linalg.subspace_angles(N, V[:, 25:]).max())
    record_property("angle over condition and rounding", angle / condition / 2.2e-16)
    assert angle <= 1e-14 * condition


def test_singular_values_are_told_from_zero_down_to_the_root_of_rounding():
    U, V = (np.linalg.qr(np.random.default_rng(1).standard_normal((n, 8)))[0] for n in (60, 8))
    for smallest, dimension in ((1e-6, 0), (1e-10, 1)):
        A = (U * np.r_[np.ones(7), smallest]) @ V.T
        assert null_basis(as_matrix(A)).shape == (8, dimension)


#: Where the Hessian is indefinite at the start: the trust region's ridge leaks 1e-8 of the range.
@pytest.mark.parametrize(
    ("name", "solver"),
    [
        *product(["softres", "softmax", "resnet-exp"], SOLVERS),
        ("cosh", "gradient_descent"),
        ("cosh", "exact_newton"),
        ("cosh", "approx_newton"),
    ],
)
def test_solvers_return_the_minimiser_without_a_null_component(
    deficient, plant, make_regularised, name, solver
):
    A, b = deficient(2), plant(0, 200, 6).b
    problem = make_regularised(name, A, b, 0.1)
    options = {"rows": 150} if solver == "approx_newton" else {}
    result = solve(problem, solver, eps=1e-7, max_steps=20_000, **options)
    assert result.status.success, result.status
    null = linalg.null_space(A)
    assert np.linalg.norm(null.T @ result.x) <= 1e-12 * np.linalg.norm(result.x)


def test_newton_keeps_the_null_component_of_the_start(deficient, plant, make_regularised):
    A, b = deficient(2), plant(0, 200, 6).b
    problem = make_regularised("softres", A, b, 0.1)
    null = linalg.null_space(A)
    x0 = 0.5 * null[:, 0]
    moved, plain = (solve(problem, "exact_newton", start, eps=1e-10).x for start in (x0, None))
    np.testing.assert_allclose(moved - plain, x0, atol=1e-9)


# --- From a factor -------------------------------------------------------------------------------


@given(
    seed=st.integers(0, 2**32 - 1),
    rank=st.integers(0, 20),
    missing=st.integers(0, 20),
    condition=st.sampled_from([1.0, 1e2, 1e4]),
    scale=st.sampled_from([1e-8, 1.0, 1e8]),
    ridge=st.sampled_from([1e-10, 1e-8]),
)
@settings(max_examples=40, deadline=None)
@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize("library", ["numpy", "torch"])
def test_the_factor_of_a_singular_matrix_tells_its_null_space(
    kind_named, library, seed, rank, missing, condition, scale, ridge
):
    d = max(1, rank + missing)
    rank = d - missing
    Q = np.linalg.qr(np.random.default_rng(seed).standard_normal((d, d)))[0]
    span = Q[:, :rank]
    H = scale * (span * np.geomspace(1.0, 1.0 / condition, rank)) @ span.T
    ridge *= scale
    stored = as_matrix(kind_named(f"dense-{library}")(np.eye(d)))
    ones = stored.asarray(np.ones(d))
    factor = cholesky(stored.asarray(0.5 * (H + H.T) + ridge * np.eye(d)), ones, 0.0)
    # The factor divides by its scale, here the same for all: the ridge is relative to its square.
    share = ridge / float(factor.scale[0]) ** 2
    null = as_numpy(null_basis_of(factor, share))
    assert null.shape == (d, missing)
    np.testing.assert_allclose(null.T @ null, np.eye(missing), atol=1e-12)
    expected = linalg.svd(H)[2][rank:].T
    error = null - expected @ (expected.T @ null)
    # Rounding of H over its smallest eigenvalue that is not zero.
    assert np.linalg.norm(error) <= 1e-13 * d * condition


@pytest.mark.parametrize("missing", [7, 8, 9, 16, 17])
def test_null_spaces_of_more_dimensions_than_are_tried_at_first_are_found(missing):
    H = np.diag([0.0] * missing + [1.0, 2.0, 3.0])
    d = missing + 3
    factor = cholesky(H + 1e-8 * np.eye(d), np.ones(d), 0.0)
    null = null_basis_of(factor, 1e-8 / factor.scale[0] ** 2)
    np.testing.assert_allclose(null @ null.T, np.diag([1.0] * missing + [0.0] * 3), atol=1e-12)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_a_direction_that_is_merely_short_is_no_null_vector(dtype):
    # A Gram matrix cannot tell a singular value of the root of rounding from zero.
    rng = np.random.default_rng(0)
    U = np.linalg.qr(rng.standard_normal((300, 6)))[0]
    short = 10.0 * float(np.sqrt(np.finfo(dtype).eps))
    V = np.linalg.qr(rng.standard_normal((6, 6)))[0]
    A = ((U * np.geomspace(1.0, 0.1 * short, 6)) @ V.T).astype(dtype)
    assert null_basis(as_matrix(A)).shape == (6, 0)


# --- Within a subspace ----------------------------------------------------------------------------


def test_only_what_the_matrix_maps_to_zero_is_kept_of_a_subspace(kind):
    rng = np.random.default_rng(0)
    null = np.linalg.qr(rng.standard_normal((6, 2)))[0]
    A = rng.standard_normal((40, 6))
    A -= A @ null @ null.T
    matrix = as_matrix(kind(A))
    # One null vector of two, and one vector that is none.
    other = rng.standard_normal(6)
    other -= null @ (null.T @ other)
    candidates = np.linalg.qr(np.stack([null[:, 0], other], axis=1))[0]
    found = as_numpy(null_within(matrix, matrix.asarray(candidates)))
    assert matrix.counter.passes == 2
    np.testing.assert_allclose(found @ found.T, np.outer(null[:, 0], null[:, 0]), atol=1e-12)
    assert null_within(matrix, matrix.asarray(candidates[:, 1:])) is None
    assert null_within(matrix, matrix.asarray(candidates[:, :0])) is None
