"""Positive definite d x d matrices whose eigendecomposition would take too long.

An eigendecomposition takes about thirty times as long as a Cholesky factorisation: half a minute
at d = 4556. One factor answers what a minimiser's proof asks: that a matrix is definite, solutions
with it, and by Lanczos's method both ends of its spectrum.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from softres.linalg.factors import CholeskyFactor, cholesky
from softres.linalg.lanczos import largest_eigenvalue
from softres.linalg.nullspace import filled

__all__ = ["DENSE_COLUMNS", "DefiniteFactor", "definite"]

Matrix = npt.NDArray[np.float64]

#: Columns up to which a full eigendecomposition takes no time to speak of.
DENSE_COLUMNS = 600


class DefiniteFactor:
    """A symmetric H on the host that is positive definite off a given null space.

    Attributes
    ----------
    matrix
        H, shape (d, d).
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
        return self._project(self._factor.solve(self._project(y)))

    def _project(self, y: Any) -> Any:
        return y - self._null @ (self._null.T @ y)

    @property
    def smallest(self) -> float:
        """The smallest eigenvalue off the null space."""
        return 1.0 / largest_eigenvalue(self.solve, self.matrix.shape[0])

    @property
    def largest(self) -> float:
        """The largest eigenvalue."""
        return largest_eigenvalue(lambda y: self.matrix @ y, self.matrix.shape[0])


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
    full = H
    if null.shape[1]:
        sizes = np.sqrt(np.abs(np.diagonal(H)))
        full = filled(H, null, np.where(sizes > 0, sizes, 1.0))
    factor = cholesky(full)
    return None if factor is None else DefiniteFactor(H, factor, null)
