"""Secant pairs: conjugate gradients on a quadratic, the secant equation, and only convex pairs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from softres.solvers.preconditioned.secant import SecantPairs

SEEDS = st.integers(0, 2**32 - 1)


def definite(rng, d, condition):
    """Return a random symmetric matrix with eigenvalues from 1 / condition to 1."""
    Q = np.linalg.qr(rng.standard_normal((d, d)))[0]
    return (Q * np.geomspace(1.0 / condition, 1.0, d)) @ Q.T


def preconditioned_conjugate_gradients(H, solve, gradient, steps):
    """Yield the textbook's search directions for 1/2 x^T H x, and the gradient at each."""
    z = solve(gradient)
    p = -z
    for _ in range(steps):
        yield p, gradient
        t = (gradient @ z) / (p @ H @ p)
        following = gradient + t * (H @ p)
        z_following = solve(following)
        p = -z_following + (following @ z_following) / (gradient @ z) * p
        gradient, z = following, z_following


@given(
    seed=SEEDS,
    d=st.integers(2, 12),
    condition=st.sampled_from([1.0, 3.0, 10.0]),
    limit=st.integers(1, 8),
)
@settings(max_examples=100, deadline=None)
def test_directions_on_a_quadratic_are_those_of_conjugate_gradients(seed, d, condition, limit):
    rng = np.random.default_rng(seed)
    H, M = definite(rng, d, condition), definite(rng, d, 10.0)

    def solve(y):
        return np.linalg.solve(M, y)

    gradient = start = H @ rng.standard_normal(d)
    first = np.linalg.norm(solve(start))
    pairs = SecantPairs(limit)
    for p, expected in preconditioned_conjugate_gradients(H, solve, gradient, d):
        # Beyond that, rounding has cost conjugate gradients their conjugacy.
        if np.linalg.norm(expected) <= 1e-3 * np.linalg.norm(start):
            break
        direction = -pairs.apply(gradient, solve)
        assert np.linalg.norm(direction - p) <= 1e-8 * first
        s = -(gradient @ direction) / (direction @ H @ direction) * direction
        pairs.add(s, H @ s)
        gradient = gradient + H @ s


@given(seed=SEEDS, d=st.integers(1, 8), count=st.integers(1, 12), limit=st.integers(1, 8))
@settings(deadline=None)
def test_the_estimate_is_definite_and_maps_the_last_change_to_the_last_step(seed, d, count, limit):
    rng = np.random.default_rng(seed)
    H, M = definite(rng, d, 100.0), definite(rng, d, 10.0)
    pairs = SecantPairs(limit)
    for _ in range(count):
        s = rng.standard_normal(d)
        pairs.add(s, H @ s)
    assert len(pairs) == min(count, limit)

    def inverse(y):
        return pairs.apply(y, lambda g: np.linalg.solve(M, g))

    np.testing.assert_allclose(inverse(H @ s), s, rtol=0, atol=1e-8 * np.linalg.norm(s))
    estimate = np.stack([inverse(unit) for unit in np.eye(d)], axis=1)
    np.testing.assert_allclose(estimate, estimate.T, rtol=0, atol=1e-9 * np.abs(estimate).max())
    assert np.linalg.eigvalsh(estimate)[0] > 0


@given(seed=SEEDS, curvature=st.sampled_from([-1.0, -1e-12, 0.0]))
def test_a_pair_along_which_the_loss_is_not_convex_is_dropped(seed, curvature):
    rng = np.random.default_rng(seed)
    s, y, g = rng.standard_normal((3, 4))
    pairs = SecantPairs(3)
    pairs.add(s, y + (1.0 - s @ y) / (s @ s) * s)  # s^T y = 1
    before = pairs.apply(g, lambda v: 2.0 * v)
    other = rng.standard_normal(4)
    pairs.add(s, other + (curvature - s @ other) / (s @ s) * s)
    assert len(pairs) == 1
    np.testing.assert_array_equal(pairs.apply(g, lambda v: 2.0 * v), before)


def test_curvature_that_is_rounding_beside_the_change_of_the_gradient_is_dropped():
    pairs = SecantPairs(3)
    pairs.add(np.array([1.0, 0.0]), np.array([1e-9, 1.0]))
    assert len(pairs) == 0


def test_the_oldest_pair_makes_room_for_the_newest():
    H = np.diag([1.0, 2.0, 3.0])
    kept, all_three = SecantPairs(2), SecantPairs(3)
    for s in np.eye(3):
        kept.add(s, H @ s)
        all_three.add(s, H @ s)
    g = np.ones(3)
    np.testing.assert_allclose(kept.apply(g, lambda v: 10.0 * v), [10.0, 1 / 2, 1 / 3])
    np.testing.assert_allclose(all_three.apply(g, lambda v: 10.0 * v), [1.0, 1 / 2, 1 / 3])


@pytest.mark.parametrize("cleared", [False, True])
def test_without_pairs_the_preconditioner_alone_decides(cleared):
    pairs = SecantPairs(3)
    if cleared:
        pairs.add(np.ones(2), np.ones(2))
        pairs.clear()
    assert len(pairs) == 0
    np.testing.assert_array_equal(pairs.apply(np.array([1.0, 2.0]), lambda v: 3.0 * v), [3.0, 6.0])
