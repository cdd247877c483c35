"""Columns scaled to equal curvature: the diagonal of the Gauss-Newton matrix, and the rate seen."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from softres.matrices.backends import as_numpy
from softres.solvers.preconditioned.column_scaling import ColumnScaling

pytestmark = pytest.mark.usefixtures("one_thread")


def gauss_newton_diagonal(point, A):
    return as_numpy(point.gauss_newton.diagonal) @ A**2


def test_at_rows_of_equal_curvature_it_is_the_diagonal_of_the_gauss_newton_matrix(
    problem_name, kind, plant, make_regularised
):
    A = plant(0, density=0.5).A * np.geomspace(1.0, 1e-3, 6)
    problem = make_regularised(problem_name, kind(A), plant(0).b, 0.1)
    point = problem.at(problem.zeros())
    found = as_numpy(ColumnScaling.of(point, np.random.default_rng(0)).scale)
    np.testing.assert_allclose(found, gauss_newton_diagonal(point, A), rtol=1e-12)


@pytest.mark.parametrize("name", ["dense-numpy", "dense-torch"])
def test_of_a_tall_dense_matrix_a_sample_of_rows_tells_it(
    kind_named, name, plant, make_regularised
):
    instance = plant(0, 20_000, 4)
    # Rows with the larger curvature have longer second columns: no mean could tell.
    A = instance.A.copy()
    A[:, 1] *= np.where(A @ instance.x > 0, 3.0, 0.3)
    problem = make_regularised("softres", kind_named(name)(A), instance.b, 1e-2)
    point = problem.at(problem.matrix.asarray(3.0 * instance.x))
    expected = gauss_newton_diagonal(point, A)
    alike = float(point.gauss_newton.diagonal.mean()) * (A**2).sum(axis=0)
    assert np.abs(alike / expected - 1.0).max() > 0.5
    for seed in range(5):
        found = as_numpy(ColumnScaling.of(point, np.random.default_rng(seed)).scale)
        np.testing.assert_allclose(found, expected, rtol=0.45)


def test_a_column_of_zeros_gets_a_positive_scale(kind, plant, make_regularised):
    A = plant(0).A.copy()
    A[:, 2] = 0.0
    point = (problem := make_regularised("softres", kind(A), plant(0).b, 0.1)).at(problem.zeros())
    scaling = ColumnScaling.of(point, np.random.default_rng(0))
    assert np.isfinite(as_numpy(scaling.scale)).all()
    assert (as_numpy(scaling.scale) > 0).all()
    assert math.isfinite(scaling.norm(scaling.solve(point.gradient)))


@given(seed=st.integers(0, 2**32 - 1), d=st.integers(1, 8))
def test_norm_and_solve_belong_to_one_diagonal_matrix(seed, d):
    rng = np.random.default_rng(seed)
    scale, x = np.exp(3 * rng.standard_normal(d)), rng.standard_normal(d)
    scaling = ColumnScaling(scale)
    np.testing.assert_allclose(scaling.solve(scale * x), x)
    assert scaling.norm(x) == pytest.approx(math.sqrt(x @ np.diag(scale) @ x))
