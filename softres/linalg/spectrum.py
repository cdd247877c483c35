"""The extreme singular values and the rank of A."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from softres.linalg.definite import DENSE_COLUMNS, definite
from softres.linalg.nullspace import null_of_gram
from softres.matrices import DesignMatrix
from softres.matrices.backends import as_numpy

__all__ = ["Spectrum", "spectrum", "spectrum_of_gram"]


@dataclass(frozen=True)
class Spectrum:
    """Singular values of A.

    Attributes
    ----------
    sigma_max
        |A|_2.
    sigma_min
        The smallest singular value beyond rounding.
    rank
        How many are beyond rounding.
    """

    sigma_max: float
    sigma_min: float
    rank: int

    @property
    def condition(self) -> float:
        """sigma_max over sigma_min."""
        return self.sigma_max / self.sigma_min


def spectrum(matrix: DesignMatrix) -> Spectrum:
    """Return the extremes from A^T A.

    One Gram matrix, never a factorisation of A itself; squaring limits it to condition 1e8,
    beyond which singular values count as zero.

    Up to 600 columns from all eigenvalues. Beyond, the null space comes from a Cholesky factor of
    the columns scaled to length one, and both ends by Lanczos's method to a relative error of
    1e-10 plus rounding: what counts as zero is then relative to the column's own scale.
    """
    d = matrix.shape[1]
    ones = matrix.asarray(np.ones(matrix.shape[0]))
    gram: npt.NDArray[np.float64] = np.asarray(as_numpy(matrix.gram(ones)), dtype=np.float64)
    if d > DENSE_COLUMNS and gram.any():
        factor = definite(gram, null_of_gram(gram))
        if factor is not None:
            return Spectrum(
                float(np.sqrt(factor.largest)), float(np.sqrt(factor.smallest)), factor.rank
            )
    return spectrum_of_gram(np.asarray(np.linalg.eigvalsh(gram), dtype=np.float64))


def spectrum_of_gram(values: npt.NDArray[np.float64]) -> Spectrum:
    """Return the extremes from the eigenvalues of A^T A, ascending, shape (d,)."""
    d = len(values)
    largest = float(values[-1])
    kept = values[values > d * np.finfo(np.float64).eps * largest]
    if largest <= 0 or len(kept) == 0:
        return Spectrum(0.0, 0.0, 0)
    return Spectrum(float(np.sqrt(largest)), float(np.sqrt(kept[0])), len(kept))
