"""A minimum at infinity is none: no solver says that it has converged to it."""

from __future__ import annotations

import numpy as np
import pytest

import softres
from softres import Status

RNG = np.random.default_rng(0)


def edge(n, d):
    """Return A, and a b of two rows that alone have the largest first column."""
    A = RNG.standard_normal((n, d))
    order = np.argsort(A[:, 0])
    A[order[-2], 0] = A[order[-1], 0]
    b = np.zeros(n)
    b[order[-2:]] = 0.7, 0.3
    return A, b


INSTANCES = [edge(20, 2), edge(50, 3), edge(300, 5)]
SOLVERS = ["preconditioned_newton", "exact_newton", "approx_newton", "scipy_lbfgs"]


@pytest.mark.filterwarnings("ignore:the lemma asks for")
@pytest.mark.parametrize("eps", [1e-2, 1e-6])
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("problem", ["softmax", "softres"])
def test_separable_shares_without_weights_have_no_minimiser(problem, solver, eps):
    for A, b in INSTANCES:
        result = softres.solve(softres.make_problem(problem, A, b), solver, eps=eps, max_steps=40)
        assert result.status in (Status.STEP_LIMIT, Status.STALLED)
        assert np.linalg.norm(result.x) > 5.0


@pytest.mark.parametrize("eps", [1e-2, 1e-6, 1e-10])
@pytest.mark.parametrize("solver", SOLVERS[:2])
@pytest.mark.parametrize("problem", ["softmax", "softres"])
def test_weights_give_them_one_and_shares_within_the_hull_have_one(plant, problem, solver, eps):
    for A, b in INSTANCES:
        weighted = softres.make_problem(problem, A, b, 1e-2)
        assert softres.solve(weighted, solver, eps=eps).status is Status.CONVERGED
    for seed in range(3):
        planted = plant(seed)
        within = softres.make_problem(problem, planted.A, planted.b)
        result = softres.solve(within, solver, eps=eps)
        assert result.status is Status.CONVERGED
        exact = softres.solve(within, eps=1e-13).x
        assert np.linalg.norm(result.x - exact) <= eps * np.linalg.norm(exact)
