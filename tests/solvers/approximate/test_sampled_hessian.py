"""How far a sampled Hessian may be off at another point: never more than its bound."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import linalg

from softres.matrices import as_matrix
from softres.problems import make_problem
from softres.sketching import exact_scores, sample_rows
from softres.solvers.approximate.sampled_hessian import SampledHessian

pytestmark = pytest.mark.usefixtures("one_thread")


def sampled_at(problem, x, rows, seed):
    """Return H~ at x from about ``rows`` rows, and the error that it has there."""
    point = problem.at(x)
    D, matrix = point.curvature.diagonal, problem.matrix
    scores = exact_scores(matrix, np.sqrt(np.abs(D)))
    sample = sample_rows(scores, rows, np.random.default_rng(seed))
    gram = sample.gram(matrix, D)
    B = matrix.gram(np.abs(D))
    eps = float(np.abs(linalg.eigvalsh(gram - matrix.gram(D), B)).max())
    return SampledHessian.at(point, gram, sample, scores, eps), eps


@given(
    seed=st.integers(0, 2**32 - 1),
    distance=st.sampled_from([0.0, 1e-4, 1e-2, 0.1]),
    name=st.sampled_from(["softres", "softmax", "cosh", "exp"]),
    weights=st.sampled_from([1e-3, 0.3]),
)
@settings(max_examples=80, deadline=None)
def test_the_bound_holds_at_the_other_point(seed, distance, name, weights):
    rng = np.random.default_rng(seed)
    n, d = 400, 4
    A = rng.standard_normal((n, d)) / 10.0
    b = rng.random(n)
    problem = make_problem(name, A, b / b.sum(), weights / n)
    x = rng.standard_normal(d)
    hessian, eps = sampled_at(problem, x, 300, seed)
    there = problem.at(x + distance * rng.standard_normal(d))
    bound = hessian.error(there.curvature)
    assert bound >= eps * (1.0 - 1e-9)
    if not np.isfinite(bound):
        return
    B = problem.matrix.gram(np.abs(there.curvature.diagonal))
    off = np.abs(linalg.eigvalsh(hessian.matrix - there.hessian(), B)).max()
    assert off <= bound * (1.0 + 1e-9)


def test_the_bound_is_of_use_near_by():
    rng = np.random.default_rng(0)
    A = rng.standard_normal((5000, 5))
    A *= 4.0 / np.linalg.norm(A, 2)
    b = rng.random(5000)
    problem = make_problem("softres", as_matrix(A), b / b.sum(), 0.1 / 5000)
    x = rng.standard_normal(5)
    hessian, eps = sampled_at(problem, x, 2000, 0)
    assert hessian.error(problem.at(x).curvature) == pytest.approx(eps, rel=1e-9)
    near = problem.at(x + 1e-3 * rng.standard_normal(5)).curvature
    assert hessian.error(near) < eps + 0.01
