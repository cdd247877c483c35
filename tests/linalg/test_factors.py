"""Factors of symmetric matrices: what is solved, what is refused, what counts as zero."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from softres.linalg.factors import CholeskyFactor, cholesky, spectral
from softres.matrices.backends import as_numpy


@pytest.fixture(params=["numpy", "torch"])
def library(request):
    """A function that makes an array of one library of a host array."""
    return np.array if request.param == "numpy" else torch.tensor


def random_symmetric(values, seed=0):
    """Return a matrix with the given eigenvalues, and its eigenvectors."""
    rng = np.random.default_rng(seed)
    vectors, _ = np.linalg.qr(rng.standard_normal((len(values), len(values))))
    H = (vectors * np.asarray(values)) @ vectors.T
    return 0.5 * (H + H.T), vectors


def test_cholesky_solves_a_positive_definite_system(library, relative_error):
    H, _ = random_symmetric(np.geomspace(1e-3, 1e3, 12))
    y = np.random.default_rng(1).standard_normal(12)
    factor = cholesky(library(H))
    assert relative_error(factor.solve(library(y)), np.linalg.solve(H, y)) <= 1e-10


def test_cholesky_does_not_mind_the_scale_of_columns(library, relative_error):
    # The condition number of H is 1e40, but that of H scaled to a unit diagonal is 10.
    core, _ = random_symmetric(np.geomspace(1, 10, 8))
    scale = np.geomspace(1e-10, 1e10, 8)
    H = core * scale[:, None] * scale[None, :]
    y = np.random.default_rng(1).standard_normal(8)
    factor = cholesky(library(H))
    expected = np.linalg.solve(core, y / scale) / scale
    error = np.abs(as_numpy(factor.solve(library(y))) / expected - 1.0)
    assert error.max() <= 1e-12


@pytest.mark.parametrize(
    "values",
    [[-1e-3, 1.0, 2.0], [0.0, 1.0, 2.0], [-1.0, -2.0, -3.0], [1e-17, 1.0, 2.0], [np.nan] * 3],
    ids=["indefinite", "singular", "negative", "singular to rounding", "NaN"],
)
def test_cholesky_refuses_what_is_not_positive_definite_to_rounding(library, values):
    H, _ = random_symmetric(values)
    assert cholesky(library(H)) is None


@pytest.mark.parametrize("smallest", [1e-3, 1e-7, 1e-11, 1e-13])
@pytest.mark.parametrize("floor", [1e-14, 1e-12, 1e-6])
def test_a_smallest_eigenvalue_is_known_to_exceed_a_floor_only_if_it_does(
    library, smallest, floor, monkeypatch
):
    solves = []
    solve = CholeskyFactor.solve_scaled
    monkeypatch.setattr(
        CholeskyFactor, "solve_scaled", lambda self, y: solves.append(1) or solve(self, y)
    )
    for seed in range(20):
        H, _ = random_symmetric([smallest, *np.linspace(0.1, 1.0, 39)], seed)
        lower = np.linalg.cholesky(H)
        factor = CholeskyFactor(library(lower), library(np.ones(40)))
        exact = np.linalg.svd(lower, compute_uv=False)[-1] ** 2
        assert (factor.smallest_eigenvalue(floor) > floor) == (exact > floor)
        assert factor.smallest_eigenvalue() == pytest.approx(exact, rel=1e-3)
    # Four solves where no floor is given, and one where the eigenvalue is far above it.
    assert (len(solves) == 20 * (4 + 1)) == (smallest > 1e6 * floor)


def test_cholesky_leaves_its_argument_alone(library):
    H, _ = random_symmetric([1.0, 2.0, 3.0])
    given = library(H)
    cholesky(given)
    np.testing.assert_array_equal(as_numpy(given), H)


def test_spectral_solves_with_absolute_eigenvalues(library, relative_error):
    values = np.array([-4.0, -1e-3, 0.5, 2.0, 8.0])
    H, vectors = random_symmetric(values)
    y = np.random.default_rng(1).standard_normal(5)
    factor = spectral(library(H))
    assert (factor.negative, factor.rank) == (2, 5)
    expected = vectors @ ((vectors.T @ y) / np.abs(values))
    assert relative_error(factor.solve(library(y)), expected) <= 1e-12
    np.testing.assert_allclose(as_numpy(factor.values), values, rtol=1e-11)


def test_spectral_gives_the_least_norm_solution_of_a_singular_system(library, relative_error):
    values = np.array([0.0, 1e-18, 0.5, -2.0])
    H, vectors = random_symmetric(values)
    y = H @ np.array([1.0, -2.0, 3.0, 4.0])
    factor = spectral(library(H))
    assert (factor.negative, factor.rank) == (1, 2)
    solution = as_numpy(factor.solve(library(y)))
    assert np.abs(vectors[:, :2].T @ solution).max() <= 1e-13
    expected = vectors[:, 2:] @ ((vectors[:, 2:].T @ y) / [0.5, 2.0])
    assert relative_error(solution, expected) <= 1e-13


def test_spectral_of_zero_solves_to_zero(library):
    factor = spectral(library(np.zeros((3, 3))))
    assert (factor.negative, factor.rank) == (0, 0)
    np.testing.assert_array_equal(as_numpy(factor.solve(library(np.ones(3)))), np.zeros(3))


@pytest.mark.parametrize("entry", [np.nan, np.inf])
def test_spectral_refuses_what_is_not_finite(library, entry):
    H = np.eye(3)
    H[1, 1] = entry
    assert spectral(library(H)) is None


def test_float32_is_solved_in_float32(library, relative_error):
    H, _ = random_symmetric(np.geomspace(1, 100, 6))
    y = np.ones(6)
    single = library(H.astype(np.float32)), library(y.astype(np.float32))
    for factor in (cholesky(single[0]), spectral(single[0])):
        solution = factor.solve(single[1])
        assert as_numpy(solution).dtype == np.float32
        assert relative_error(solution, np.linalg.solve(H, y)) <= 1e-4
