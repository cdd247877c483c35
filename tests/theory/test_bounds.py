"""The bounds of Lemmas 7.1, 8.2 and 8.3 at points that hypothesis chooses."""

from __future__ import annotations

from math import exp, log10, sqrt

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from softres.theory.bounds import BASIC, Region, basic_bounds, recalled_bounds
from softres.theory.curvature_bounds import curvature_bounds, smallest_weight, sufficient_weight
from softres.theory.lipschitz import (
    CURVATURE,
    LIPSCHITZ,
    basic_lipschitz,
    hessian_lipschitz,
    recalled_lipschitz,
)
from softres.theory.predictions import log10_lipschitz_recalled

SLACK = 1 + 1e-9


@st.composite
def points(draw, pairs=False):
    """A of norm R with unusual rows, x (and y) in the ball, b in the simplex, beta from alpha."""
    n, d = draw(st.integers(2, 12)), draw(st.integers(1, 3))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    R = draw(st.floats(0.1, 4.0))
    A = rng.standard_normal((n, d)) * np.exp(draw(st.floats(0, 3)) * rng.standard_normal((n, 1)))
    A += draw(st.sampled_from([0.0, 1.0, 10.0]))  # rows alike: z moves as a whole
    A *= R / np.linalg.norm(A, 2)
    b = rng.dirichlet(np.full(n, draw(st.sampled_from([0.05, 1.0])))) * draw(st.floats(0, 1))
    xs = [rng.standard_normal(d) for _ in range(2)]
    xs = [R * draw(st.floats(0, 1)) * x / np.linalg.norm(x) for x in xs]
    if pairs and draw(st.booleans()):
        xs[1] = xs[0] + 1e-3 * (xs[1] - xs[0])
    alphas = [float(np.sum(np.exp(A @ x) + A @ x)) for x in (xs if pairs else xs[:1])]
    assume(min(alphas) > 1e-2)
    return A, b, xs, R, min(alphas)


def quantities(A, b, x):
    z = A @ x
    e = np.exp(z)
    u, v = e + z, e + 1
    alpha = u.sum()
    f = u / alpha
    c = f - b
    q = (c - f @ c) / alpha
    return {
        "exp": e,
        "u": u,
        "alpha": alpha,
        "1/alpha": 1 / alpha,
        "f": f,
        "c": c,
        "I - f 1^T": np.eye(len(f)) - np.outer(f, np.ones(len(f))),
        "v": v,
        "diag(v)": np.diag(v),
        "1/alpha^2": alpha**-2,
        "q": q,
        "q * exp": q * e,
    }


def size(value):
    value = np.atleast_1d(value)
    return np.linalg.norm(value, 2)  # of a matrix, its largest singular value


def curvature(A, b, x):
    z = A @ x
    e = np.exp(z)
    u, v = e + z, e + 1
    alpha = u.sum()
    f, p, g = u / alpha, v / alpha, e / alpha
    t = f - b - f @ (f - b)
    F = np.diag(p) - np.outer(f, p)
    B3 = -np.outer(p * t, p) - np.outer(p, p * t)
    parts = {"B1": F.T @ F, "B2": np.diag(t * g), "B3": B3}
    return parts | {"H": sum(parts.values())}


def regions(A, R, beta):
    return Region.worst(len(A), R, beta), Region.of(A, R, beta)


@given(points())
@settings(max_examples=150, deadline=None)
def test_no_norm_exceeds_its_bound(point):
    A, b, (x, _), R, beta = point
    found = quantities(A, b, x)
    for bounds in (*map(basic_bounds, regions(A, R, beta)), recalled_bounds(len(A), R, beta)):
        for name in BASIC:
            assert size(found[name]) <= bounds[name] * SLACK, name


@given(points(pairs=True))
@settings(max_examples=150, deadline=None)
def test_no_difference_exceeds_its_bound(point):
    A, b, (x, y), R, beta = point
    distance = np.linalg.norm(x - y)
    assume(distance > 1e-4)
    one, other = quantities(A, b, x), quantities(A, b, y)
    worst, own = regions(A, R, beta)
    rows = np.linalg.norm(A, axis=1).max()
    for bounds in (basic_lipschitz(worst, R, R), basic_lipschitz(own, R, rows)):
        for name in LIPSCHITZ:
            rounding = 1e-13 * (size(one[name]) + size(other[name]))
            limit = bounds[name] * distance * SLACK + rounding
            assert size(one[name] - other[name]) <= limit, name


@given(points(pairs=True))
@settings(max_examples=150, deadline=None)
def test_the_curvature_stays_within_its_bounds_and_its_constant(point):
    A, b, (x, y), R, beta = point
    one, other = curvature(A, b, x), curvature(A, b, y)
    for region, norm in zip(regions(A, R, beta), (R, np.linalg.norm(A, 2)), strict=True):
        bounds, M = curvature_bounds(region), hessian_lipschitz(region, norm)
        for name in ("B1", "B2", "B3"):
            assert size(one[name]) <= bounds[name] * SLACK, name
        assert -np.linalg.eigvalsh(one["H"])[0] <= bounds["-B"] * SLACK
        for name in CURVATURE:
            moved = size(A.T @ (one[name] - other[name]) @ A)
            rounding = 1e-12 * R**2 * (size(one[name]) + size(other[name]))
            assert moved <= M[name] * np.linalg.norm(x - y) * SLACK + rounding, name


@given(points())
@settings(max_examples=100, deadline=None)
def test_the_smallest_weight_is_enough_and_the_sufficient_one_is_not_smaller(point):
    A, b, (x, _), R, beta = point
    n, d = A.shape
    sigma = np.linalg.svd(A, compute_uv=False)
    assume(n >= d and sigma[-1] > 1e-2 * sigma[0])
    bare = A.T @ curvature(A, b, x)["H"] @ A
    needed, pencil = smallest_weight(A, bare, 1.0)
    scale = np.abs(bare).max() + needed * R**2
    assert np.linalg.eigvalsh(bare + needed * A.T @ A)[0] >= 1 - 1e-10 * scale
    if needed > 0:
        assert np.linalg.eigvalsh(bare + 0.99 * needed * A.T @ A)[0] < 1
    certain = sufficient_weight(pencil, sigma[-1], 1.0)
    own = sufficient_weight(-curvature_bounds(Region.of(A, R, beta))["-B"], sigma[-1], 1.0)
    assert needed <= max(certain, 0) + 1e-9 * abs(certain) + 1e-9 * scale / sigma[-1] ** 2
    assert certain <= own * SLACK


def test_the_norm_of_the_oblique_projection_is_that_of_its_complement():
    f = np.array([2.0, -1.5, 0.5])
    assert size(np.eye(3) - np.outer(f, np.ones(3))) == pytest.approx(sqrt(3) * size(f))


def test_alpha_has_a_floor_of_its_own_where_n_is_large():
    assert Region.worst(10_000, 2.0, 0.1).beta == pytest.approx(10_000 - 2 * 100 * 4)
    assert Region.worst(10, 2.0, 0.1).beta == 0.1


def test_bounds_attained_where_one_row_carries_all():
    R, n = 3.0, 20
    A = np.zeros((n, 1))
    A[0] = R
    bound = basic_bounds(Region.worst(n, R, 0.1))
    e = np.exp(A @ np.array([R]))
    assert size(e) == pytest.approx(bound["exp"], rel=1e-3)
    assert bound["exp"] < recalled_bounds(n, R, 0.1)["exp"] / 4


def test_the_hessian_s_constant_does_not_grow_exponentially():
    own = [log10(hessian_lipschitz(Region.worst(1000, R, 0.1), R)["H"]) for R in (4.0, 10.0)]
    recalled = [log10_lipschitz_recalled(1000, R, np.log(0.1)) for R in (4.0, 10.0)]
    assert own[1] - own[0] < 20
    assert recalled[1] - recalled[0] > 700
    assert recalled[0] > own[0]


def test_constants_stay_numbers_beyond_the_range_of_doubles():
    region = Region.worst(50, 100.0, 0.1)
    assert np.isfinite(list(hessian_lipschitz(region, 100.0).values())).all()
    assert basic_bounds(region)["exp"] == np.inf
    assert set(recalled_lipschitz(50, 1.0, 0.1)) == set(LIPSCHITZ)
    assert recalled_lipschitz(50, 1.0, 0.1)["exp"] == pytest.approx(2 * sqrt(50) * exp(1))
