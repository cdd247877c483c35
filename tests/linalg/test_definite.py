"""Cholesky factors in place of eigendecompositions: the same answers."""

from __future__ import annotations

import numpy as np
import pytest

from softres.certification.definite_newton import DefiniteNewton
from softres.linalg.definite import definite
from softres.linalg.nullspace import null_basis
from softres.problems import make_problem
from softres.solvers import solve
from softres.solvers.result import Status

pytestmark = pytest.mark.usefixtures("one_thread")


def symmetric(values, seed=0):
    d = len(values)
    vectors = np.linalg.qr(np.random.default_rng(seed).standard_normal((d, d)))[0]
    H = (vectors * values) @ vectors.T
    return 0.5 * (H + H.T), vectors


@pytest.mark.parametrize("null", [0, 1, 20])
def test_solutions_and_both_ends_of_the_spectrum(null):
    values = np.r_[np.zeros(null), np.geomspace(1e-7, 10.0, 40)]
    H, vectors = symmetric(values)
    factor = definite(H, vectors[:, :null])
    assert (factor.rank, factor.negative) == (40, 0)
    assert factor.smallest == pytest.approx(1e-7, rel=1e-6)
    assert factor.largest == pytest.approx(10.0, rel=1e-9)
    y = np.random.default_rng(1).standard_normal(40 + null)
    wanted = vectors[:, null:] @ ((vectors[:, null:].T @ y) / values[null:])
    np.testing.assert_allclose(factor.solve(y), wanted, rtol=1e-6)


@pytest.mark.parametrize("worst", [-1e-3, 0.0, np.nan])
def test_what_is_not_definite_has_no_factor(worst):
    values = np.linspace(1.0, 2.0, 10)
    H, vectors = symmetric(values)
    H = H + (worst - 1.0) * np.outer(vectors[:, 0], vectors[:, 0])
    assert definite(H, np.zeros((10, 0))) is None


def test_exact_hessians_converge_quadratically_from_an_indefinite_start(plant, make_regularised):
    instance = plant(0, radius=6.0)
    problem = make_regularised("softres", instance.A, instance.b, 1e-3)
    x0 = 3.0 * np.random.default_rng(3).standard_normal(6) / np.sqrt(6)
    assert np.linalg.eigvalsh(problem.hessian(x0))[0] < 0
    result = solve(problem, DefiniteNewton(), x0, eps=1e-12)
    assert result.status is Status.CONVERGED
    assert result.rows[1]["share"] < 1.0
    assert result.rows[-1]["share"] == 1.0
    assert np.linalg.norm(problem.gradient(result.x)) <= 1e-11 * np.linalg.norm(
        problem.gradient(x0)
    )


def test_a_singular_matrix_without_its_null_space_ends_the_solve():
    A = np.ones((5, 2))
    problem = make_problem("resnet", A, np.linspace(0.1, 0.3, 5))
    x0 = np.ones(2)
    assert solve(problem, DefiniteNewton(), x0).status is Status.LINEAR_SOLVE_FAILED
    null = null_basis(problem.matrix)
    result = solve(problem, DefiniteNewton(null), x0)
    assert result.status is Status.CONVERGED
    assert result.x[0] == pytest.approx(result.x[1], rel=1e-12)
