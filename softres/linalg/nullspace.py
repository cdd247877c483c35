"""The null space of A, along which no loss over A x can change."""

from __future__ import annotations

from math import sqrt
from typing import Any

import numpy as np
import numpy.typing as npt
from array_api_compat import device

from softres.common.arrays import array_namespace
from softres.linalg.factors import CholeskyFactor, cholesky
from softres.linalg.lanczos import largest_eigenvalue
from softres.matrices import DesignMatrix
from softres.matrices.backends import as_numpy

__all__ = ["filled", "null_basis", "null_basis_of", "null_of_gram", "null_within"]

Matrix = npt.NDArray[Any]

#: Multiples of the least ridge that are tried until a singular Gram matrix can be factored.
RIDGES = (0.1, 1.0, 10.0)
#: Size of A n, over that of A, up to which a unit vector n counts as a null vector, and the same
#: in units of rounding, whichever is more. Both with A's columns scaled to one: a column on a small
#: scale is no null vector.
NULL, NULL_UNITS = 1e-9, 100.0


def null_basis(matrix: DesignMatrix) -> Any:
    """Return an orthonormal basis of the null space of A, shape (d, d - rank).

    That of its Gram matrix, whose error grows with the square of A's condition, refined twice by
    N - (A^T A)^+ A^T (A N), whose error grows with the condition only.

    One Gram matrix, and for a rank-deficient A five passes for each null vector.
    """
    ones = matrix.asarray(np.ones(matrix.shape[0]))
    scale, null, factor = _of_gram(as_numpy(matrix.gram(ones)))
    if factor is not None:
        for _ in range(2):
            image = matrix.matmul(matrix.asarray(null / scale))
            # What the ridge leaves of a null vector is another one: only the rest is corrected.
            null = null - factor.solve(as_numpy(matrix.rmatmul(image)) / scale)
    # The Gram matrix cannot tell a null vector from one that A shrinks by the root of rounding.
    candidates = matrix.asarray(np.linalg.qr(null / scale)[0])
    basis = null_within(matrix, candidates)
    return candidates[:, :0] if basis is None else basis


def null_within(matrix: DesignMatrix, candidates: Any) -> Any:
    """Return the part of a subspace that A maps to zero, or ``None`` where there is none.

    Parameters
    ----------
    matrix
        A.
    candidates
        Orthonormal basis of the subspace, shape (d, k). Takes k passes.
    """
    if candidates.shape[1] == 0:
        return None
    xp = array_namespace(candidates)
    scale = matrix.column_scale[:, None]
    scaled = xp.linalg.qr(scale * candidates)[0]
    triangle = xp.linalg.qr(matrix.matmul(scaled / scale))[1]
    _, sizes, vectors = xp.linalg.svd(triangle, full_matrices=True)
    tolerance = max(NULL, NULL_UNITS * float(xp.finfo(candidates.dtype).eps))
    seen = int(xp.sum(xp.astype(sizes > tolerance * sqrt(matrix.shape[1]), xp.int64)))
    if seen == candidates.shape[1]:
        return None
    return xp.linalg.qr((scaled @ vectors[seen:, :].T) / scale)[0]


def filled(H: Any, null: Any, scale: Any) -> Any:
    """Return H made definite on A's null space, where it is zero, as large there as elsewhere.

    A gradient has no component there, so neither has a solution with the result.

    Parameters
    ----------
    H
        Shape (d, d).
    null
        Orthonormal basis of the null space, shape (d, k).
    scale
        Norms of A's columns, shape (d,): the sizes of what is added are those of H's own entries.
    """
    if null.shape[1] == 0:
        return H
    xp = array_namespace(H)
    largest = float(xp.max(xp.abs(xp.linalg.diagonal(H)) / scale / scale)) or 1.0
    basis = xp.linalg.qr(scale[:, None] * null)[0] * scale[:, None]
    return H + largest * (basis @ basis.T)


def null_of_gram(gram: Matrix) -> Matrix:
    """Return an orthonormal basis of the null space of a Gram matrix, shape (d, d - rank)."""
    scale, null, _ = _of_gram(gram)
    return np.asarray(np.linalg.qr(null / scale)[0])


def _of_gram(gram: Matrix) -> tuple[Matrix, Matrix, CholeskyFactor | None]:
    """Return a scale (d, 1), the null space of the Gram matrix over it, and a factor of that.

    Columns are scaled to unit length: a column on a small scale is not a null vector. A ridge as
    small as rounding makes a factor possible, and that tells the null vectors. Eigenvalues below
    d to 100 d rounding units of the largest count as zero: the smaller the ridge that will do, the
    lower. The factor is of the scaled matrix with the ridge; ``None`` where there is no null
    vector, or no factor, and eigenvectors had to do.
    """
    d = gram.shape[0]
    diagonal = np.diagonal(gram)
    scale = np.sqrt(np.where(diagonal > 0, diagonal, 1.0))[:, None]
    if not diagonal.any():
        return scale, np.eye(d, dtype=gram.dtype), None
    scaled = gram / scale / scale.T
    least = d * float(np.finfo(gram.dtype).eps) * largest_eigenvalue(lambda y: scaled @ y, d)
    for share in RIDGES:
        ridge = share * least
        one = np.eye(d, dtype=gram.dtype)
        factor = cholesky(scaled + ridge * one, np.ones(d, dtype=gram.dtype), 0.1 * ridge)
        if factor is not None:
            null = null_basis_of(factor, ridge)
            return scale, null, factor if null.shape[1] else None
    values, vectors = np.linalg.eigh(scaled)
    return scale, vectors[:, values <= least], None


def null_basis_of(factor: CholeskyFactor, ridge: float) -> Any:
    """Return an orthonormal basis of the null space of a singular S^-1 H S^-1, (d, d - rank).

    S is the factor's scale. By subspace iteration with the inverse of that matrix plus ``ridge``
    times the identity, of which null vectors have by far the largest eigenvalues: no pass over A,
    and d^2 work for each vector.

    Parameters
    ----------
    factor
        Of H + ridge S^2.
    ridge
        Positive, and far below the smallest eigenvalue of S^-1 H S^-1 that is not zero.
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
            solved = factor.solve_scaled(basis)
            basis, triangle = xp.linalg.qr(solved)
            values = 1.0 / xp.abs(xp.linalg.diagonal(triangle))
        null = basis[:, values < 10.0 * ridge]
        if null.shape[1] < size or size == d:
            return null
        size = min(d, 2 * size)
