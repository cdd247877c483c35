"""The step where the Hessian is indefinite, and the null space along which there is none."""

from __future__ import annotations

import numpy as np
import pytest

from softres.data.sets.synthetic import Synthetic, make_synthetic
from softres.linalg.nullspace import null_basis
from softres.matrices import as_matrix
from softres.matrices.backends import as_numpy
from softres.problems import SoftmaxRegression, SoftResidualRegression
from softres.solvers import Status, solve
from softres.solvers.steps.trust_region import (
    _along_gauss_newton,
    _Model,
    _within_ball,
    trust_region_step,
)

pytestmark = pytest.mark.usefixtures("one_thread")


def indefinite_points(plant, make_regularised, kind=np.asarray):
    """Return points of hard instances where the Hessian has negative eigenvalues."""
    points = []
    for seed in range(6):
        instance = plant(seed, n=500, d=8, radius=10.0, noise=1.0)
        problem = make_regularised("softres", kind(instance.A), instance.b, 1e-6)
        for share in (0.0, 0.3, 0.6):
            point = problem.at(problem.matrix.asarray(share * instance.x))
            if np.linalg.eigvalsh(as_numpy(point.hessian()))[0] < 0:
                points.append(point)
    assert len(points) >= 6
    return points


def test_steps_lower_the_loss_and_count_negative_eigenvalues(plant, make_regularised, kind):
    for point in indefinite_points(plant, make_regularised, kind):
        H = point.hessian()
        B = point.gauss_newton.hessian(point.problem.matrix)
        taken = trust_region_step(point, H, B, None)
        assert taken.point.value < point.value
        assert taken.point.inside
        assert taken.negative == np.sum(np.linalg.eigvalsh(as_numpy(H)) < 0)
        assert taken.radius > 0


def test_the_lower_one_of_two_steps_is_taken(plant, make_regularised):
    won = {"ball": 0, "gauss_newton": 0}
    points = indefinite_points(plant, make_regularised)
    for condition in (1.0, 1e2, 1e4):  # and on the way from a saddle
        instance = make_synthetic(1000, 50, 4.0, 0, Synthetic(condition=condition))
        problem = make_regularised("cosh", instance.A, instance.b, 1e-2)
        solve(problem, "exact_newton", callback=lambda _, point: points.append(point))
    for point in points:
        H = point.hessian()
        if np.linalg.eigvalsh(H)[0] > 0:
            continue
        B = point.gauss_newton.hessian(point.problem.matrix)
        straight = _along_gauss_newton(_Model(H, B, point, None), point).point.value
        for radius in (None, 1.0, 10.0):
            taken = trust_region_step(point, H, B, radius).point.value
            assert taken <= straight
            won["ball" if taken < straight else "gauss_newton"] += 1
    assert min(won.values()) >= 3


def test_a_step_along_gauss_newton_finds_the_least_loss_on_its_way(plant, make_regularised):
    for point in indefinite_points(plant, make_regularised):
        B = point.gauss_newton.hessian(point.problem.matrix)
        found = _along_gauss_newton(_Model(point.hessian(), B, point, None), point)
        p = -np.linalg.solve(B, point.gradient)
        np.testing.assert_allclose(found.point.x - point.x, found.step_length * p, rtol=1e-3)
        assert abs(found.point.gradient @ p) <= 0.1 * abs(point.gradient @ p)


def test_a_step_minimises_the_model_over_the_ball(plant, make_regularised):
    # A small radius is never cut back: the step is the subproblem's solution.
    rng = np.random.default_rng(0)
    for point in indefinite_points(plant, make_regularised):
        H, g = point.hessian(), point.gradient
        B = point.gauss_newton.hessian(point.problem.matrix)
        radius = 1e-3 * np.sqrt(g @ np.linalg.solve(B, g))
        there, _, trials = _within_ball(_Model(H, B, point, None), point, radius, 1)
        assert trials == 1
        step = there.x - point.x
        assert np.sqrt(step @ B @ step) == pytest.approx(radius, rel=1e-4)
        # (H + s B) p = -g with H + s B positive semidefinite.
        shift = -(step @ (H @ step + g)) / (step @ B @ step)
        residual = H @ step + shift * (B @ step) + g
        assert np.linalg.norm(residual) <= 1e-4 * np.linalg.norm(g)
        assert np.linalg.eigvalsh(H + shift * B)[0] >= -1e-9 * np.abs(H).max()
        value = g @ step + 0.5 * step @ H @ step
        others = rng.standard_normal((200, len(g)))
        others *= radius / np.sqrt(np.sum((others @ B) * others, axis=1))[:, None]
        assert (others @ g + 0.5 * np.sum((others @ H) * others, axis=1) >= value).all()


def test_a_point_without_a_gradient_has_no_step(plant, make_regularised):
    instance = plant(0)
    point = make_regularised("cosh", instance.A, instance.b, 0.01)
    point = point.at(point.zeros())  # even in x: stationary
    B = point.gauss_newton.hessian(point.problem.matrix) + np.eye(6)
    assert not np.any(point.gradient)
    assert trust_region_step(point, point.hessian(), B, None) is None


def test_where_all_curvature_vanishes_there_is_no_step():
    # f is one in one row to the last bit, as the target is: B and H are zeros, the gradient a
    # rounding error's.
    A, b = np.array([[0.0], [60.0]]), np.array([1e-30, 1.0])
    point = SoftmaxRegression(A, b / b.sum()).at(np.array([10.0]))
    H, B = point.hessian(), point.gauss_newton.hessian(point.problem.matrix)
    assert not H.any()
    assert trust_region_step(point, H, B, None) is None


def test_a_metric_that_underflows_is_stood_for_by_the_identity(plant, make_regularised):
    # No step is too long for a metric of zeros: H's own size takes its place.
    for point in indefinite_points(plant, make_regularised):
        H = point.hessian()
        for B in (np.zeros_like(H), 1e-310 * H @ H):
            taken = trust_region_step(point, H, B, None)
            assert taken.point.value < point.value
            assert taken.negative == np.sum(np.linalg.eigvalsh(H) < 0)


@pytest.mark.parametrize(
    ("problem", "seed", "n", "d"),
    [(SoftResidualRegression, 9, 1000, 10), (SoftmaxRegression, 5, 300, 6)],
)
def test_a_fit_that_is_one_row_alone_ends_where_the_arithmetic_does(problem, seed, n, d):
    # At R = 40 one row has all of b. The loss falls towards 0 as |x| grows, without end, and all
    # curvature falls below rounding on the way.
    options = Synthetic(condition=1.0, noise=0.0)
    instance = make_synthetic(n, d, 40.0, seed, options)
    assert instance.b.max() > 1 - 1e-9
    result = solve(problem(instance.A, instance.b), "exact_newton")
    assert result.status in (Status.STALLED, Status.STEP_LIMIT)
    assert result.rows[-1]["loss"] <= 1e-25


def test_the_gauss_newton_curvature_is_the_square_of_the_models_jacobian(plant, make, kind):
    instance = plant(1, n=30, d=4)
    for name in ("softres", "softmax", "sinh"):
        problem = make(name, kind(instance.A), instance.b, 0.1)
        point = problem.at(problem.matrix.asarray(instance.x))
        z = instance.A @ instance.x
        e = np.exp(z)
        if name == "sinh":
            F = np.diag(np.cosh(z))
        else:
            u, v = (e + z, e + 1) if name == "softres" else (e, e)
            F = (np.diag(np.ones(30)) - np.outer(u / u.sum(), np.ones(30))) * v / u.sum()
        expected = instance.A.T @ (F.T @ F + 0.01 * np.eye(30)) @ instance.A
        found = as_numpy(point.gauss_newton.hessian(problem.matrix))
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-13 * np.abs(expected).max())


@pytest.mark.parametrize("rank", [0, 1, 5, 7])
def test_the_null_basis_is_orthonormal_and_mapped_to_zero(rank, kind):
    rng = np.random.default_rng(rank)
    A = rng.standard_normal((60, rank)) @ rng.standard_normal((rank, 7))
    null = as_numpy(null_basis(as_matrix(kind(A))))
    assert null.shape == (7, 7 - rank)
    np.testing.assert_allclose(null.T @ null, np.eye(7 - rank), atol=1e-14)
    assert np.abs(A @ null).max(initial=0.0) <= 1e-13 * max(1.0, np.abs(A).max())


def test_columns_on_small_scales_are_not_in_the_null_space():
    A = np.random.default_rng(0).standard_normal((60, 4)) * [1.0, 1e-3, 1e-6, 1e-9]
    assert null_basis(as_matrix(A)).shape == (4, 0)
