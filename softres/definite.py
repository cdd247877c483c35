"""Positive definite d x d matrices whose eigendecomposition would take too long.

An eigendecomposition takes about thirty times as long as a Cholesky factorisation: half a minute
at d = 4556. One factor answers what a minimiser's proof asks: that a matrix is definite, solutions
with it, and by Lanczos's method both ends of its spectrum.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, eigsh

from softres.backends import as_numpy
from softres.linalg import CholeskyFactor, cholesky
from softres.matrices import DesignMatrix
from softres.nullspace import null_basis_of

__all__ = ["SMALL", "DefiniteFactor", "definite", "null_space", "null_space_of_gram"]

Matrix = npt.NDArray[np.float64]

#: Columns up to which a full eigendecomposition takes no time to speak of.
SMALL = 600
#: Relative error that Lanczos's method is run to.
TOLERANCE = 1e-10
#: Multiples of the least ridge that are tried until a singular Gram matrix can be factored.
RIDGES = (0.1, 1.0, 10.0)


class DefiniteFactor:
    """A symmetric H on the host that is positive definite off a given null space.

    Attributes
    ----------
    matrix
        H plus a multiple of the projection onto the null space, shape (d, d).
    rank
        d less the dimension of the null space.
    negative
        Number of negative eigenvalues: 0.
    """

    negative = 0

    def __init__(self, matrix: Matrix, factor: CholeskyFactor, null: Matrix) -> None:
        self.matrix = matrix
        self.rank = int(matrix.shape[0] - null.shape[1])
        self._factor = factor
        self._null = null

    def solve(self, y: Any) -> Any:
        """Return H^+ y for y of shape (d,)."""
        solution = self._factor.solve(y)
        return solution - self._null @ (self._null.T @ solution)

    @property
    def smallest(self) -> float:
        """The smallest eigenvalue off the null space."""
        return 1.0 / _largest(self.solve, self.matrix.shape[0])

    @property
    def largest(self) -> float:
        """The largest eigenvalue."""
        return _largest(lambda y: self.matrix @ y, self.matrix.shape[0])


def definite(H: Matrix, null: Matrix) -> DefiniteFactor | None:
    """Factor a symmetric H, or return ``None`` where it is not definite off its null space.

    Parameters
    ----------
    H
        Shape (d, d).
    null
        Orthonormal basis of vectors that H is known to send to zero, shape (d, k).
    """
    if not np.isfinite(H).all():
        return None
    if null.shape[1]:
        size = float(np.max(np.abs(np.diagonal(H)))) or 1.0
        H = H + size * (null @ null.T)
    factor = cholesky(H)
    return None if factor is None else DefiniteFactor(H, factor, null)


def null_space(matrix: DesignMatrix) -> Matrix:
    """Return an orthonormal basis of the null space of A on the host, shape (d, d - rank)."""
    return null_space_of_gram(as_numpy(matrix.gram(matrix.asarray(np.ones(matrix.shape[0])))))


def null_space_of_gram(gram: Matrix) -> Matrix:
    """Return an orthonormal basis of the null space of a Gram matrix, shape (d, d - rank).

    Of the Gram matrix of columns of unit length, by subspace iteration with a factor that a ridge
    as small as rounding makes possible. Eigenvalues below d to 100 d rounding units of the largest
    count as zero: the smaller the ridge that will do, the lower.
    """
    d = gram.shape[0]
    diagonal = np.diagonal(gram)
    if not diagonal.any():
        return np.eye(d)
    scale = np.sqrt(np.where(diagonal > 0, diagonal, 1.0))
    scaled = gram / scale[:, None] / scale[None, :]
    least = d * float(np.finfo(np.float64).eps) * _largest(lambda y: scaled @ y, d)
    for share in RIDGES:
        ridge = share * least
        factor = cholesky(scaled + ridge * np.eye(d), np.ones(d), 0.1 * ridge)
        if factor is not None:
            null = null_basis_of(factor, ridge)
            return np.asarray(np.linalg.qr(null / scale[:, None])[0])
    values, vectors = np.linalg.eigh(scaled)
    return np.asarray(np.linalg.qr(vectors[:, values <= least] / scale[:, None])[0])


def _largest(product: Any, d: int) -> float:
    """Return the largest eigenvalue of a positive semidefinite matrix from products with it."""
    if d <= 2:  # Lanczos's method has no room
        return float(np.linalg.eigvalsh(np.column_stack([product(e) for e in np.eye(d)]))[-1])
    start = np.random.default_rng(0).standard_normal(d)
    operator = LinearOperator((d, d), matvec=product, dtype=np.float64)
    try:
        values = eigsh(
            operator, k=1, which="LA", v0=start, tol=TOLERANCE, return_eigenvectors=False
        )
    except ArpackNoConvergence:
        # Only a cluster at the end keeps it from converging: then any of its vectors will do.
        q = start
        for _ in range(100):
            q = product(q / float(np.linalg.norm(q)))
        return float(np.linalg.norm(q))
    return float(values[0])
