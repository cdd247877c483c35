"""What leverage scores of sqrt(D) A say once D has moved, so that they can be used again."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["RowForms", "Vector", "largest_change", "least_ratio"]

Vector = npt.NDArray[np.float64]

#: Shares of the rows beyond a candidate theta, times d: leverage one is d / n a row on average.
SHARES_BEYOND = (1 / 64, 1 / 16, 1 / 4, 1 / 2, 1.0)
#: Factor on the estimated scores of the rows beyond theta, for the spread of the estimates.
SAFETY = 2.0
#: Ratios that candidates are taken from.
SAMPLE_RATIOS = 16384


@dataclass(frozen=True)
class RowForms:
    """The forms q_i = a_i (A^T diag(D) A)^+ a_i^T at one D > 0; D_i q_i is a leverage score.

    For another D' with ratios r_i = D'_i / D_i and any theta > 0, in the order of symmetric
    matrices,

        A^T D' A >= theta A^T D A - sum over r_j < theta of (theta - r_j) D_j a_j^T a_j
                 >= (theta - sum over r_j < theta of (theta - r_j) D_j q_j) A^T D A,

    because D_j a_j^T a_j <= D_j q_j A^T D A for every row. Where the factor, lambda(theta), is
    positive, the new scores are bounded by

        tau_i(D') = D'_i a_i (A^T D' A)^+ a_i^T <= D'_i q_i / lambda(theta).

    The least ratio gives lambda = min r; the best theta leaves rows of leverage one in all below
    it, so that a few rows whose D vanished do no harm. A factor common to all of D drops out.
    Sampling with too large scores keeps the guarantee of the matrix Chernoff bound and costs rows
    in proportion to their sum.

    Attributes
    ----------
    forms
        q or an estimate of it, shape (n,).
    diagonal
        D, shape (n,), not negative.
    """

    forms: Vector
    diagonal: Vector

    def scores(self) -> Vector:
        """Return the leverage scores at D, shape (n,)."""
        return self.diagonal * self.forms

    def bound(self, diagonal: Vector, d: int) -> tuple[Vector, float]:
        """Return upper bounds of the scores at another D', and their sum over the one at D.

        Parameters
        ----------
        diagonal
            D', shape (n,), not negative.
        d
            Columns of A.

        Returns
        -------
        The bounds, shape (n,), and their growth: 1 where D' is a multiple of D, infinite where
        no bound was found.
        """
        own = self.scores()
        least = least_ratio(diagonal, self.diagonal, own, d)
        if least <= 0.0 or not np.isfinite(least):
            return own, float("inf")
        bounds = diagonal * self.forms / least
        return bounds, float(bounds.sum() / own.sum())


def least_ratio(new: Vector, old: Vector, scores: Vector, d: int) -> float:
    """Return the largest lambda(theta) of :class:`RowForms` over a few candidates for theta."""
    # A row without weight before has no part in A^T D A: it cannot be missing from A^T D' A.
    ratios = np.divide(new, old, out=np.full_like(new, np.inf), where=old > 0)
    best = float(ratios.min())
    for theta in _candidates(ratios, d, low=True):
        below = np.flatnonzero(ratios < theta)
        lost = SAFETY * float((theta - ratios[below]) @ scores[below])
        best = max(best, theta - lost)
    return best


def largest_change(new: Vector, old: Vector, scores: Vector, d: int) -> float:
    """Return eta with -eta B <= A^T (diag(new) - diag(old)) A <= eta B, B = A^T |diag(old)| A.

    With r_i = |new_i - old_i| / |old_i| and any theta >= 0, B times

        theta + sum over r_j > theta of (r_j - theta) tau_j

    is a bound, because |old_j| a_j^T a_j <= tau_j B for the leverage scores tau of
    sqrt(|old|) A. The largest ratio is one; the best theta leaves a few rows above it.

    Parameters
    ----------
    new, old
        Of any sign, shape (n,).
    scores
        tau or upper bounds, shape (n,).
    d
        Columns of A.
    """
    ratios = np.abs(new - old)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios /= np.abs(old)
    ratios[np.isnan(ratios)] = 0.0  # no weight before and after
    best = float(ratios.max())
    for theta in _candidates(ratios, d, low=False):
        above = np.flatnonzero(ratios > theta)
        best = min(best, theta + SAFETY * float((ratios[above] - theta) @ scores[above]))
    return best


def _candidates(ratios: Vector, d: int, low: bool) -> list[float]:
    """Return about the least or the largest ratios, at shares :data:`SHARES_BEYOND` of the rows.

    From a sample: the bounds hold whatever theta is.
    """
    sample = ratios[:: max(1, min(len(ratios) // SAMPLE_RATIOS, len(ratios) // (16 * d)))]
    n = len(sample)
    places = sorted({int(n * share / d) for share in SHARES_BEYOND} - {0})
    if not low:
        places = [n - 1 - place for place in places]
    if not places or not 0 <= min(places) <= max(places) < n:
        return []
    return [float(theta) for theta in np.partition(sample, places)[places]]
