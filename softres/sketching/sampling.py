"""Row sampling: a weighted Gram matrix from few rows of A (Lemma A.8)."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, inf, log
from typing import Any

import numpy as np
import numpy.typing as npt
from array_api_compat import device

from softres.common.arrays import array_namespace
from softres.common.errors import InputError
from softres.matrices import DesignMatrix

__all__ = ["SCHEMES", "RowSample", "sample_rows", "sample_size"]

#: How rows are drawn.
SCHEMES = ("independent", "replacement")


def sample_size(d: int, eps0: float, delta: float, constant: float) -> int:
    """Return s = C eps0^-2 d log(d / delta), the rows that Lemma A.8 draws."""
    return ceil(constant * d * max(1.0, log(d / delta)) / eps0**2)


@dataclass(frozen=True)
class RowSample:
    """The distinct rows of a sample, with the weights that keep its Gram matrix unbiased.

    Attributes
    ----------
    index
        Distinct rows, ascending, shape (k,).
    weight
        The factor on each row's entry of D, shape (k,).
    drawn
        Rows drawn, repetitions counted.
    """

    index: npt.NDArray[np.int64]
    weight: npt.NDArray[np.float64]
    drawn: int

    def gram(self, matrix: DesignMatrix, diagonal: Any, single: bool = False) -> Any:
        """Return A^T D~ A, shape (d, d), for D of shape (n,): the sampled, reweighted D.

        D may be blocks, shape (L, L, n), where A has several layers. The rows are read from A in
        blocks. See :meth:`DesignMatrix.gram` for ``single``.
        """
        at = array_namespace(diagonal).asarray(self.index, device=device(diagonal))
        weights = diagonal[..., at] * matrix.asarray(self.weight)
        return matrix.gram(weights, rows=self.index, single=single)


def sample_rows(
    scores: npt.NDArray[np.float64],
    s: int,
    rng: np.random.Generator,
    scheme: str = "independent",
) -> RowSample:
    """Draw about s rows, row i in proportion to scores[i].

    Parameters
    ----------
    scores
        Leverage scores or estimates of them, shape (n,), not all zero.
    s
        Rows asked for.
    rng
        Source of the draws.
    scheme
        ``"independent"``: row i is kept with probability min(1, s p_i), p = scores / sum, and
        weighted by its inverse. Rows that matter most are then kept as they are, and with s far
        above n all of them. ``"replacement"``: s draws with replacement, each weighted by
        1 / (s p_i); rows drawn several times are kept once, with their count in the weight.
        Matrix Chernoff bounds prove Lemma A.8 for both.

    Raises
    ------
    InputError
        If the scheme is unknown.
    numpy.linalg.LinAlgError
        If all scores are zero, or one is not finite.
    """
    total = float(scores.sum())
    if not 0 < total < inf:
        raise np.linalg.LinAlgError("the scores are all zero, or not finite")
    p = scores / total
    if scheme == "independent":
        keep = np.minimum(1.0, s * p)
        index = np.flatnonzero(rng.random(len(p)) < keep)
        return RowSample(index, 1.0 / keep[index], len(index))
    if scheme == "replacement":
        counts = rng.multinomial(s, p)
        index = np.flatnonzero(counts)
        return RowSample(index, counts[index] / (s * p[index]), s)
    raise InputError(f"scheme={scheme}: allowed are {', '.join(SCHEMES)}")
