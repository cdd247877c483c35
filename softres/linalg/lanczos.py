"""The largest eigenvalue of a matrix from products with it, by Lanczos's method."""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite
from typing import Any

import numpy as np
from scipy.sparse.linalg import ArpackError, LinearOperator, eigsh

from softres.common.arrays import norm

__all__ = ["largest_eigenvalue"]

#: Relative error that the method is run to.
LANCZOS_TOLERANCE = 1e-10
#: Steps of the power method where it does not converge.
POWER_STEPS = 100


def largest_eigenvalue(product: Callable[[Any], Any], d: int) -> float:
    """Return the largest eigenvalue of a positive semidefinite d x d matrix.

    Parameters
    ----------
    product
        Returns the matrix times a vector of shape (d,), on the host.

    Raises
    ------
    numpy.linalg.LinAlgError
        If the matrix is not finite.
    """
    if d <= 2:  # Lanczos's method has no room
        return float(np.linalg.eigvalsh(np.column_stack([product(e) for e in np.eye(d)]))[-1])
    start = np.random.default_rng(0).standard_normal(d)
    operator = LinearOperator((d, d), matvec=product, dtype=np.float64)
    try:
        values = eigsh(
            operator, k=1, which="LA", v0=start, tol=LANCZOS_TOLERANCE, return_eigenvectors=False
        )
    except ArpackError:
        # A cluster at the end keeps it from converging: then any of its vectors will do. Or the
        # matrix is zero, or not finite.
        return _by_powers(product, start)
    return float(values[0])


def _by_powers(product: Callable[[Any], Any], q: Any) -> float:
    size = norm(q)
    for _ in range(POWER_STEPS):
        q = product(q / size)
        size = norm(q)
        if not isfinite(size):
            raise np.linalg.LinAlgError("the matrix is not finite")
        if size == 0.0:
            break
    return size
