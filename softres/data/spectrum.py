"""The extreme singular values and the rank of A."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from softres.backends import as_numpy
from softres.matrices import DesignMatrix

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
    """Return the extremes from the eigenvalues of A^T A.

    One Gram matrix, never a factorisation of A itself; squaring limits it to condition 1e8,
    beyond which singular values count as zero.
    """
    gram = as_numpy(matrix.gram(matrix.asarray(np.ones(matrix.shape[0]))))
    return spectrum_of_gram(np.linalg.eigvalsh(gram))


def spectrum_of_gram(values: npt.NDArray[np.float64]) -> Spectrum:
    """Return the extremes from the eigenvalues of A^T A, ascending, shape (d,)."""
    d = len(values)
    largest = float(values[-1])
    kept = values[values > d * np.finfo(np.float64).eps * largest]
    if largest <= 0 or len(kept) == 0:
        return Spectrum(0.0, 0.0, 0)
    return Spectrum(float(np.sqrt(largest)), float(np.sqrt(kept[0])), len(kept))
