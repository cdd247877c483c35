"""The ends of a curvature's spectrum: as a dense eigensolver finds them, in O(n)."""

from __future__ import annotations

import numpy as np
import pytest

from softres.problems.curvature import Curvature
from softres.theory.curvature_bounds import extreme_eigenvalues


def dense(curvature):
    n = len(curvature.diagonal)
    values = np.linalg.eigvalsh(np.stack([curvature.apply(y) for y in np.eye(n)]))
    return values[0], values[-1]


@pytest.mark.parametrize("n", [1, 2, 3, 40])
@pytest.mark.parametrize("size", [1e-3, 1.0, 1e3])
def test_they_are_those_of_the_dense_matrix(n, size):
    rng = np.random.default_rng(n)
    for _ in range(10):
        diagonal, v, h = rng.standard_normal((3, n))
        curvature = Curvature(diagonal, size * v, h)
        scale = max(map(abs, dense(curvature)))
        found = extreme_eigenvalues(curvature)
        np.testing.assert_allclose(found, dense(curvature), atol=1e-10 * scale)


def test_equal_entries_and_a_plain_diagonal_are_no_exception():
    v, h = np.array([[1.0, 2.0, 0.0, 0.0], [0.5, -1.0, 0.0, 3.0]])
    curvature = Curvature(np.full(4, 0.7), v, h)
    np.testing.assert_allclose(extreme_eigenvalues(curvature), dense(curvature), atol=1e-12)
    assert extreme_eigenvalues(Curvature(np.array([3.0, -1.0, 2.0]))) == (-1.0, 3.0)
