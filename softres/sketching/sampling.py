"""Row sampling: a weighted Gram matrix from few rows of A (Lemma A.8)."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, log
from typing import Any

import numpy as np
import numpy.typing as npt

from softres.matrices import DesignMatrix

__all__ = ["RowSample", "sample_rows", "sample_size"]


def sample_size(d: int, eps0: float, delta: float, constant: float) -> int:
    """Return s = C eps0^-2 d log(d / delta), the rows that Lemma A.8 draws."""
    return ceil(constant * d * max(1.0, log(d / delta)) / eps0**2)


@dataclass(frozen=True)
class RowSample:
    """The distinct rows of a sample, with the weights that keep its Gram matrix unbiased.

    Attributes
    ----------
    index
        Distinct rows, ascending, shape (k,), k <= s.
    weight
        count_i / (s p_i) for each of them, shape (k,).
    drawn
        s, repetitions counted.
    """

    index: npt.NDArray[np.int64]
    weight: npt.NDArray[np.float64]
    drawn: int

    def gram(self, matrix: DesignMatrix, diagonal: Any) -> Any:
        """Return A^T D~ A, shape (d, d), for D of shape (n,): the sampled, reweighted D."""
        rows = matrix.rows(self.index)
        at = rows.asarray(self.index).long() if hasattr(diagonal, "detach") else self.index
        return rows.gram(diagonal[at] * rows.asarray(self.weight))


def sample_rows(scores: npt.NDArray[np.float64], s: int, rng: np.random.Generator) -> RowSample:
    """Draw s rows with replacement, row i with probability proportional to scores[i].

    A row that is drawn several times is kept once, with its count in the weight: the sampled
    Gram never costs more than the exact one.
    """
    p = scores / scores.sum()
    counts = rng.multinomial(s, p)
    index = np.flatnonzero(counts)
    return RowSample(index, counts[index] / (s * p[index]), s)
