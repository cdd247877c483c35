"""The Lipschitz constant proven near a minimiser is one, and its ball is the largest it allows."""

from __future__ import annotations

import math

import numpy as np
import pytest

from experiments.claims.contraction.constants import ProvenBalls, log10_recalled
from softres.problems import make_problem
from softres.theory.predictions import log10_lipschitz_recalled


@pytest.fixture(scope="module")
def problem():
    rng = np.random.default_rng(2)
    A = rng.standard_normal((60, 3)) / 8
    return make_problem("softres", A, rng.dirichlet(np.ones(60)), 0.1)


def test_no_pair_of_points_exceeds_the_proven_constant(problem):
    rng = np.random.default_rng(0)
    balls = ProvenBalls.of(problem)
    for radius in (0.1, 1.0):
        M = balls.lipschitz(radius)
        assert math.isfinite(M)
        for _ in range(50):
            x, y = rng.standard_normal((2, 3))
            x, y = (radius * p / np.linalg.norm(p) for p in (x, y))
            change = problem.at(x).hessian() - problem.at(y).hessian()
            assert np.linalg.norm(change, 2) <= M * np.linalg.norm(x - y)


def test_the_ball_meets_its_definition_with_equality(problem):
    balls = ProvenBalls.of(problem)
    x = np.array([0.3, 0.0, 0.0])
    r = balls.reach(x, 1e-3, 0.1)
    assert balls.lipschitz(0.3 + r) * r == pytest.approx(1e-4, rel=1e-6)


def test_nothing_is_proven_where_alpha_may_vanish_or_the_problem_is_another(problem):
    balls = ProvenBalls.of(problem)
    far = 0.51 * balls.n / balls.drift
    assert balls.lipschitz(far) == math.inf
    assert balls.reach(np.array([far, 0.0, 0.0]), 1.0, 0.1) == 0.0
    assert ProvenBalls.of(make_problem("softmax", np.eye(3), np.ones(3) / 3)) is None


def test_the_recalled_constant_is_read_with_an_r_that_the_theorem_allows():
    assert log10_recalled(100, 1.0, 0.0) == log10_lipschitz_recalled(100, 4.0, 0.0)
    assert log10_recalled(100, 10.0, 0.0) == log10_lipschitz_recalled(100, 10.0, 0.0)
