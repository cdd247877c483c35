"""Confidence intervals that the verdicts rest on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

__all__ = ["Interval", "Line", "clopper_pearson", "fit_line"]


@dataclass(frozen=True)
class Interval:
    """An estimate with its two-sided confidence interval.

    Attributes
    ----------
    value, low, high
        Estimate and ends of the interval.
    """

    value: float
    low: float
    high: float

    def __format__(self, form: str) -> str:
        form = form or ".3g"
        return f"{self.value:{form}} [{self.low:{form}}, {self.high:{form}}]"


def clopper_pearson(successes: int, trials: int, confidence: float = 0.95) -> Interval:
    """Return the share of successes with the exact binomial interval (Clopper, Pearson, 1934)."""
    result = stats.binomtest(successes, trials).proportion_ci(confidence, method="exact")
    return Interval(successes / trials, float(result.low), float(result.high))


@dataclass(frozen=True)
class Line:
    """A least-squares line with t-intervals of its coefficients.

    Attributes
    ----------
    slope, intercept
        With their intervals.
    r_squared
        Share of the variance that the line explains.
    points
        How many points it was fitted to.
    """

    slope: Interval
    intercept: Interval
    r_squared: float
    points: int


def fit_line(x: npt.ArrayLike, y: npt.ArrayLike, confidence: float = 0.95) -> Line:
    """Fit y = intercept + slope x by least squares; at least three points."""
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    fit = stats.linregress(x, y)
    t = float(stats.t.ppf(0.5 + confidence / 2, len(x) - 2))
    slope = Interval(fit.slope, fit.slope - t * fit.stderr, fit.slope + t * fit.stderr)
    reach = t * fit.intercept_stderr
    intercept = Interval(fit.intercept, fit.intercept - reach, fit.intercept + reach)
    return Line(slope, intercept, float(fit.rvalue**2), len(x))
