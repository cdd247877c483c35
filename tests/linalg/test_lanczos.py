"""The largest eigenvalue from products, with and without room for Lanczos's method."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse.linalg import ArpackNoConvergence

from softres.linalg import lanczos
from softres.linalg.lanczos import largest_eigenvalue


@pytest.mark.parametrize("d", [1, 2, 3, 40])
def test_it_is_the_largest_one(d):
    G = np.random.default_rng(d).standard_normal((2 * d, d))
    H = G.T @ G
    assert largest_eigenvalue(lambda y: H @ y, d) == pytest.approx(
        np.linalg.eigvalsh(H)[-1], rel=1e-9
    )


def test_a_multiple_of_the_identity_and_zero():
    assert largest_eigenvalue(lambda y: 3.0 * y, 20) == pytest.approx(3.0)
    assert largest_eigenvalue(lambda y: 0.0 * y, 2) == 0.0


def test_where_the_method_does_not_converge_products_alone_do(monkeypatch):
    def failing(*_, **__):
        raise ArpackNoConvergence("", np.zeros(0), np.zeros((0, 0)))

    monkeypatch.setattr(lanczos, "eigsh", failing)
    H = np.diag([1.0, 1.0, 0.5, 0.1])
    assert largest_eigenvalue(lambda y: H @ y, 4) == pytest.approx(1.0)
