"""The curvature: a diagonal plus a matrix of rank two, with one eigenvalue of each sign."""

from __future__ import annotations

import numpy as np
import pytest

from softres.matrices.backends import as_numpy
from softres.problems.curvature import Curvature

NORMALISED = ("softres", "softmax")


@pytest.fixture(params=NORMALISED)
def name(request):
    return request.param


@pytest.fixture(params=[0, 1, 2])
def point(request, name, make, plant):
    """A normalised problem's evaluation away from its minimiser."""
    seed = request.param
    instance = plant(seed, n=40, d=4, radius=2.0 + seed)
    w = np.random.default_rng(seed).random(40) * 0.02
    return make(name, instance.A, instance.b, w).at(0.7 * instance.x)


def full_matrix(curvature: Curvature) -> np.ndarray:
    """Return B, shape (n, n), one column at a time."""
    return np.stack([curvature.apply(column) for column in np.eye(len(curvature.diagonal))], axis=1)


def test_the_rank_two_part_has_one_eigenvalue_of_each_sign(point):
    v, h = point.curvature.v, point.curvature.h
    part = full_matrix(Curvature(np.zeros_like(v), v, h))
    eigenvalues = np.linalg.eigvalsh(part)
    inner, norms = v @ h, np.linalg.norm(v) * np.linalg.norm(h)
    floor = 1e-14 * norms
    assert np.sum(eigenvalues > floor) == 1
    assert np.sum(eigenvalues < -floor) == 1
    np.testing.assert_allclose(
        [eigenvalues[0], eigenvalues[-1]], [inner - norms, inner + norms], rtol=1e-12, atol=floor
    )


def test_the_papers_three_parts_add_up_to_diagonal_plus_rank_two(point):
    # alpha is inside v and e here: v / alpha and e / alpha are what the model keeps.
    z, alpha = point.z, point.alpha
    e_z = np.exp(z)
    u = e_z + z if point.problem.name == "softres" else e_z
    v = (e_z + 1.0 if point.problem.name == "softres" else e_z) / alpha
    f = u / alpha
    c = f - point.problem.b
    q = c - f @ c  # alpha q
    F = (np.eye(len(z)) - np.outer(f, np.ones(len(z)))) * v
    B1 = F.T @ F
    B2 = np.diag(q * e_z / alpha)
    B3 = -(np.outer(v * q, v) + np.outer(v, v * q))
    total = B1 + B2 + B3 + np.diag(point.problem.w2)
    ours = full_matrix(point.curvature)
    np.testing.assert_allclose(ours, total, rtol=0, atol=1e-14 * np.abs(total).max())


def test_plain_problems_have_a_diagonal_curvature(make, plant):
    instance = plant(0, n=40, d=4)
    for name in ("resnet-exp", "exp", "cosh", "sinh"):
        point = make(name, instance.A, instance.b, 0.1).at(instance.x)
        curvature = point.curvature
        assert curvature.v is None
        assert curvature.rank_two(point.problem.matrix) is None
        np.testing.assert_array_equal(full_matrix(curvature), np.diag(curvature.diagonal))


@pytest.mark.parametrize("problem", [*NORMALISED, "sinh"])
def test_apply_quadratic_and_hessian_tell_of_the_same_matrix(
    make, plant, kind, problem, relative_error
):
    instance = plant(3, n=40, d=4)
    regression = make(problem, kind(instance.A), instance.b, 0.05)
    point = regression.at(regression.matrix.asarray(instance.x))
    B = full_matrix(make(problem, instance.A, instance.b, 0.05).at(instance.x).curvature)
    assert relative_error(B, B.T) == 0.0
    asarray = regression.matrix.asarray
    rng = np.random.default_rng(0)
    for _ in range(5):
        y, p = rng.standard_normal(40), rng.standard_normal(4)
        assert relative_error(point.curvature.apply(asarray(y)), B @ y) <= 1e-13
        exact = y @ B @ y
        size = np.abs(y) @ np.abs(B) @ np.abs(y)
        assert abs(point.curvature.quadratic(asarray(y)) - exact) <= 1e-14 * size
        along = point.curvature.quadratic(point.along(asarray(p)).ap)
        assert along == pytest.approx(p @ instance.A.T @ B @ instance.A @ p, rel=1e-12)
    H = as_numpy(point.curvature.hessian(regression.matrix))
    assert relative_error(H, instance.A.T @ B @ instance.A) <= 1e-13
    np.testing.assert_allclose(H, H.T, rtol=0, atol=1e-15 * np.abs(H).max())


def test_a_gram_that_is_handed_in_takes_the_place_of_the_diagonal_part(point, relative_error):
    matrix, curvature = point.problem.matrix, point.curvature
    gram = np.diag([1.0, 2.0, 3.0, 4.0])
    left, right = curvature.rank_two(matrix)
    expected = gram + np.outer(left, right) + np.outer(right, left)
    counter = matrix.counter
    before = counter.grams, counter.passes
    assert relative_error(curvature.hessian(matrix, gram.copy()), expected) <= 1e-15
    assert (counter.grams, counter.passes) == (before[0], before[1] + 2)
