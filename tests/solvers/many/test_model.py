"""The model of many targets at once is, row by row, the model of one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from softres.matrices.backends import as_numpy
from softres.problems import SoftmaxRegression, SoftResidualRegression
from softres.solvers.many import model as module
from softres.solvers.many.model import RowModel, chunks
from softres.solvers.many.rays import search_rays


@pytest.mark.parametrize("w", [None, 0.05])
@pytest.mark.parametrize("kind_name", ["dense-numpy", "dense-torch"])
def test_rows_have_the_values_of_evaluations(problem_name, make, kind_named, w, kind_name):
    rng = np.random.default_rng(3)
    n, d, k = 30, 4, 5
    A = kind_named(kind_name)(rng.standard_normal((n, d)))
    B = rng.dirichlet(np.ones(n), size=k)
    problems = [make(problem_name, A, b, w) for b in B]
    shared = problems[0]
    points = [
        p.at(p.matrix.asarray(x))
        for p, x in zip(problems, 0.4 * rng.standard_normal((k, d)), strict=True)
    ]
    asarray = shared.matrix.asarray
    z = asarray(np.stack([as_numpy(point.z) for point in points]))
    targets = asarray(np.stack([as_numpy(p.target) for p in problems]))
    rows = RowModel(shared, z, targets)

    def same(actual, expected):
        np.testing.assert_allclose(as_numpy(actual), as_numpy(expected), rtol=1e-12, atol=1e-17)

    for i, point in enumerate(points):
        assert rows.inside[i] == point.inside
        same(rows.value[i], point.value)
        same(rows.gradient_z[i], point.gradient_z)
        for ours, theirs in (
            (rows.curvature(gauss_newton=False), point.curvature),
            (rows.curvature(gauss_newton=True), point.gauss_newton),
        ):
            same(ours.diagonal[i], theirs.diagonal)
            assert (ours.v is None) == (theirs.v is None)
            if theirs.v is not None:
                same(ours.v[i], theirs.v)
                same(ours.h[i], theirs.h)


@given(
    z=arrays(np.float64, (4, 6), elements=st.floats(-5, 5)),
    shifts=arrays(np.float64, 4, elements=st.floats(-3000, 3000)),
)
@settings(max_examples=50, deadline=None)
def test_rows_far_apart_do_not_overflow_each_other(z, shifts):
    """Each row is scaled by itself: a common scale would wipe out the lesser rows."""
    problem = SoftmaxRegression(np.eye(6), np.full(6, 1 / 6))
    targets = np.full((4, 6), 1 / 6)
    near, far = RowModel(problem, z, targets), RowModel(problem, z + shifts[:, None], targets)
    assert far.inside.all()
    # The shift itself rounds z to about 3000 units in the last place.
    np.testing.assert_allclose(far.f, near.f, rtol=1e-11)


def test_rows_where_the_loss_has_no_value_are_outside():
    problem = SoftResidualRegression(np.eye(3), np.full(3, 1 / 3))
    z = np.array([[0.0, 0.0, 0.0], [-3.0, -3.0, -3.0], [1000.0, 0.0, 0.0], [np.nan, 0.0, 0.0]])
    rows = RowModel(problem, z, np.full((4, 3), 1 / 3))
    assert rows.inside.tolist() == [True, False, True, False]
    np.testing.assert_allclose(rows.f[2], [1.0, 0.0, 0.0])


@pytest.mark.parametrize("n", [1, 100, 10**6])
def test_chunks_cover_every_target_once(n):
    problem = SoftmaxRegression(np.ones((n, 1)), np.full(n, 1 / n))
    parts = list(chunks(problem, 37))
    assert [i for part in parts for i in range(part.start, part.stop)] == list(range(37))
    longest = max(part.stop - part.start for part in parts)
    assert longest == 1 or 8 * n * longest <= module.CHUNK_BYTES


def rays(k, seed):
    rng = np.random.default_rng(seed)
    n, d = 60, 4
    A = rng.standard_normal((n, d))
    B = rng.dirichlet(np.full(n, 0.3), size=k)
    problem = SoftmaxRegression(A, B[0])
    z = rng.standard_normal((k, d)) @ A.T
    rows = RowModel(problem, z, B)
    gradient = rows.gradient_z @ A
    return problem, B, z, gradient, rows


@given(st.integers(0, 1000), st.floats(-2, 8))
@settings(max_examples=40, deadline=None)
def test_every_search_ends_in_a_sufficient_decrease(seed, magnitude):
    problem, B, z, gradient, rows = rays(7, seed)
    p = -(10.0**magnitude) * gradient
    ap = p @ problem.matrix.array.T
    slope0 = np.einsum("ij,ij->i", gradient, p)
    found = search_rays(problem, B, z, ap, rows.value, slope0)
    assert (found.t > 0).all()
    there = RowModel(problem, z + found.t[:, None] * ap, B)
    np.testing.assert_allclose(there.value, found.value, rtol=1e-12)
    np.testing.assert_allclose(there.gradient_z, found.gradient_z, rtol=1e-9, atol=1e-18)
    change = there.value - rows.value
    flat = np.abs(change) <= 1e-10 * rows.value
    assert (flat | (change <= 1e-4 * found.t * slope0)).all()


def test_a_ray_that_does_not_descend_is_left_where_it_is():
    problem, B, z, gradient, rows = rays(3, 0)
    signs = np.array([-1.0, 1.0, -1.0])
    p = signs[:, None] * gradient
    ap = p @ problem.matrix.array.T
    found = search_rays(problem, B, z, ap, rows.value, np.einsum("ij,ij->i", gradient, p))
    assert (found.t > 0).tolist() == [True, False, True]
    assert found.value[1] == rows.value[1]
