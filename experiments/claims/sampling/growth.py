"""Whether seconds grow with their sizes like nnz(A) + d^3, or as those of exact Newton do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import optimize

from experiments.kit.claim import Conclusion
from experiments.kit.statistics import Interval

__all__ = ["LAW", "LIMIT", "RIVAL", "Growth"]

Vector = npt.NDArray[np.float64]
Term = Callable[[pd.DataFrame], Any]

#: The theorem's law: a step costs so much by itself, for every row, entry and for a d x d system.
#: nnz(A) + d^omega covers a cost of n, for no row of A is empty; the practical omega is 3.
LAW: Mapping[str, Term] = {
    "1": lambda sizes: np.ones(len(sizes)),
    "n": lambda sizes: sizes.n,
    "nnz": lambda sizes: sizes.nnz,
    "d^3": lambda sizes: sizes.d**3.0,
}
#: Exact Newton's: a Gram matrix of all rows in place of the entries, n d^2 of a dense A.
RIVAL: Mapping[str, Term] = {
    **{key: term for key, term in LAW.items() if key != "nnz"},
    "nnz d": lambda sizes: sizes.nnz * sizes.d,
}
#: Exponent of d up to which the seconds of a further entry do not grow with d: logarithms do. That
#: of a Gram matrix is 1 by its operations, and less by its seconds, for a larger block is a faster
#: one: 0.2 to 0.6 on the machines tried.
LIMIT = 0.05
#: Relative residuals beyond which seconds are no line in n.
MISFIT = 0.3
RESAMPLES = 400
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Growth:
    """What a further row costs, and how that grows with d.

    At each d, seconds are a line in n with no part below 0. Its slope over the entries of a row is
    what a further entry of A costs; nnz(A) + d^omega says that this does not grow with d, whatever
    omega is, and a Gram matrix of all rows makes it grow.

    Attributes
    ----------
    sizes
        A row a size: ``n``, ``d``, ``nnz`` and ``seconds``; for each of two d or more, three n or
        more leave residuals to tell noise by.
    """

    sizes: pd.DataFrame

    @cached_property
    def exponent(self) -> Interval:
        """The exponent of d in the seconds of a further entry, with a bootstrap's interval.

        Relative residuals are resampled, corrected for what the lines fit away, and sizes stay as
        they are. Not a number where there are too few sizes, or a slope is 0.
        """
        seconds = self.sizes.seconds.to_numpy(float)
        value, fitted = self._lines(seconds)
        free = len(seconds) - 2 * self.sizes.d.nunique()
        nan = float("nan")
        if free < 1:
            return Interval(value, nan, nan)
        residuals = np.log(seconds / fitted) * np.sqrt(len(seconds) / free)
        rng = np.random.default_rng(0)
        drawn = [
            self._lines(fitted * np.exp(rng.choice(residuals, len(residuals))))[0]
            for _ in range(RESAMPLES)
        ]
        if not np.isfinite(drawn).all():
            return Interval(value, nan, nan)
        tail = 50.0 * (1.0 - CONFIDENCE)
        low, high = np.percentile(drawn, [tail, 100.0 - tail])
        return Interval(value, float(low), float(high))

    @property
    def entries(self) -> pd.Series[float]:
        """Seconds that a further entry of A takes, by d."""
        return pd.Series(self._slopes(self.sizes.seconds.to_numpy(float))[0])

    def _slopes(self, seconds: Vector) -> tuple[dict[float, float], Vector]:
        """Return the seconds of a further entry by d, and the lines' seconds at every size."""
        n, d, nnz = (self.sizes[key].to_numpy(float) for key in ("n", "d", "nnz"))
        slopes, fitted = {}, np.empty_like(seconds)
        for width in np.unique(d):
            at = d == width
            columns = np.column_stack([np.ones(at.sum()), n[at] / n.max()])
            line, _ = optimize.nnls(columns / seconds[at, None], np.ones(at.sum()))
            fitted[at] = columns @ line
            slopes[float(width)] = float(line[1] / n.max() * n[at].sum() / nnz[at].sum())
        return slopes, fitted

    def _lines(self, seconds: Vector) -> tuple[float, Vector]:
        """Return the exponent of d in the slopes, and the lines' seconds at every size."""
        slopes, fitted = self._slopes(seconds)
        if len(slopes) < 2 or min(slopes.values()) <= 0:
            return float("nan"), fitted
        logs = np.log(list(slopes)), np.log(list(slopes.values()))
        return float(np.polyfit(*logs, 1)[0]), fitted

    @cached_property
    def misfits(self) -> dict[str, float]:
        """Root mean square of relative residuals: of the lines, the law's and the rival's."""
        seconds = self.sizes.seconds.to_numpy(float)
        _, fitted = self._lines(seconds)
        lines = float(np.sqrt(np.mean((fitted / seconds - 1.0) ** 2)))
        models = {"law": LAW, "rival": RIVAL}
        return {"lines": lines} | {key: _misfit(self.sizes, terms) for key, terms in models.items()}

    @property
    def conclusion(self) -> Conclusion:
        """Whether an entry's seconds grow with d, do not, or neither for certain."""
        if self.misfits["lines"] > MISFIT:
            return Conclusion.UNDECIDED
        if self.exponent.low > LIMIT:
            return Conclusion.VIOLATED
        return Conclusion.HOLDS if self.exponent.high <= LIMIT else Conclusion.UNDECIDED

    def told(self) -> str:
        """Return the fits in words."""
        found = self.misfits
        return (
            f"a further entry's seconds grow like d^{self.exponent:.2f} over {len(self.sizes)} "
            f"sizes (lines in n to {found['lines']:.0%}); all seconds fit a nnz(A) + b d^3 to "
            f"{found['law']:.0%} and a nnz(A) d + b d^3 to {found['rival']:.0%}"
        )


def _misfit(sizes: pd.DataFrame, terms: Mapping[str, Term]) -> float:
    """Return the relative residuals' root mean square of the best non-negative multiples."""
    seconds = sizes.seconds.to_numpy(float)
    columns = np.column_stack([np.asarray(term(sizes), float) for term in terms.values()])
    relative = columns / seconds[:, None]
    _, residual = optimize.nnls(relative / np.linalg.norm(relative, axis=0), np.ones(len(seconds)))
    return float(residual) / float(np.sqrt(len(seconds)))
