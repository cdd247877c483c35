"""The null space of A, along which no loss over A x can change."""

from __future__ import annotations

from typing import Any

import numpy as np
from array_api_compat import device

from softres.arrays import array_namespace
from softres.linalg import CholeskyFactor
from softres.matrices import DesignMatrix

__all__ = ["null_basis", "null_basis_of"]


def null_basis(matrix: DesignMatrix) -> Any:
    """Return an orthonormal basis of the null space of A, shape (d, d - rank).

    From the eigenvectors of A^T A, whose error grows with the square of A's condition, refined
    twice by N - (A^T A)^+ A^T (A N), whose error grows with the condition only.

    One Gram matrix, and for a rank-deficient A four passes for each null vector.
    """
    n, d = matrix.shape
    ones = matrix.asarray(np.ones(n))
    xp = array_namespace(ones)
    gram = matrix.gram(ones)
    # Columns of unit length: a column on a small scale is not a null vector.
    diagonal = xp.linalg.diagonal(gram)
    scale = xp.sqrt(xp.where(diagonal > 0, diagonal, xp.ones_like(diagonal)))[:, None]
    values, vectors = xp.linalg.eigh(gram / scale / scale.T)
    tolerance = d * float(xp.finfo(values.dtype).eps) * float(values[-1])
    null = vectors[:, values <= tolerance]
    if null.shape[1] == 0:
        return null
    kept = values > tolerance
    span, weight = vectors[:, kept], 1.0 / values[kept]
    for _ in range(2):
        leak = matrix.rmatmul(matrix.matmul(null / scale)) / scale
        null = null - span @ (weight[:, None] * (span.T @ leak))
    return xp.linalg.qr(null / scale)[0]


def null_basis_of(factor: CholeskyFactor, ridge: float) -> Any:
    """Return an orthonormal basis of the null space of a singular H, shape (d, d - rank).

    By subspace iteration with the factor of H + ridge I, on which null vectors have an eigenvalue
    of ``ridge`` and all others one that is far larger: no pass over A, and d^2 work for each
    vector.

    Parameters
    ----------
    factor
        Of H + ridge I.
    ridge
        Positive, and far below the smallest eigenvalue of H that is not zero.
    """
    lower = factor.lower
    xp = array_namespace(lower)
    d = int(lower.shape[0])
    size = min(d, 8)
    while True:
        start = np.random.default_rng(0).standard_normal((d, size))
        basis = xp.linalg.qr(xp.asarray(start, dtype=lower.dtype, device=device(lower)))[0]
        values = basis[0, :]
        for _ in range(6):
            solved = factor.solve(basis)
            basis, triangle = xp.linalg.qr(solved)
            values = 1.0 / xp.abs(xp.linalg.diagonal(triangle))
        null = basis[:, values < 10.0 * ridge]
        if null.shape[1] < size or size == d:
            return null
        size = min(d, 2 * size)
