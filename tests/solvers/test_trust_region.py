"""The step where the Hessian is indefinite, and the null space along which there is none."""

from __future__ import annotations

import numpy as np
import pytest

from softres.backends import as_numpy
from softres.matrices import as_matrix
from softres.nullspace import null_basis
from softres.solvers.trust_region import trust_region_step

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


def test_a_step_minimises_the_model_over_the_ball(plant, make_regularised):
    # A small radius is never cut back: the step is the subproblem's solution.
    rng = np.random.default_rng(0)
    for point in indefinite_points(plant, make_regularised):
        H, g = point.hessian(), point.gradient
        B = point.gauss_newton.hessian(point.problem.matrix)
        radius = 1e-3 * np.sqrt(g @ np.linalg.solve(B, g))
        step = trust_region_step(point, H, B, radius).point.x - point.x
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
