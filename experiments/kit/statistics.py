"""Confidence intervals that the verdicts rest on."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

__all__ = [
    "Interval",
    "Line",
    "clopper_pearson",
    "cluster_bootstrap",
    "detectable_rate",
    "fit_line",
]


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


def detectable_rate(cases: int, confidence: float = 0.95) -> float:
    """Return the smallest failure rate that so many independent cases would have shown.

    Were failures as frequent as that, one or more of the cases would have failed with probability
    ``confidence``; a "holds" says nothing of rarer ones. 1 without cases.
    """
    return float(1.0 - (1.0 - confidence) ** (1.0 / cases)) if cases > 0 else 1.0


def cluster_bootstrap(
    values: npt.ArrayLike,
    clusters: Sequence[Hashable],
    statistic: Callable[[npt.NDArray[np.float64]], float],
    confidence: float = 0.95,
    resamples: int = 2000,
) -> Interval:
    """Return a statistic with the percentile interval of a bootstrap over whole clusters.

    Repetitions of one instance are not independent: a resample takes all of them or none.

    Parameters
    ----------
    values
        Shape (k,).
    clusters
        The cluster of each value, of length k.
    statistic
        Of a sample of values, such as ``np.median``.

    Raises
    ------
    ValueError
        If there is no value, or not one cluster for each.
    """
    sample = np.asarray(values, dtype=float)
    if len(sample) == 0 or len(sample) != len(clusters):
        raise ValueError(f"{len(sample)} values and {len(clusters)} clusters")
    members: dict[Hashable, list[int]] = {}
    for index, cluster in enumerate(clusters):
        members.setdefault(cluster, []).append(index)
    groups = [sample[index] for index in members.values()]
    rng = np.random.default_rng(0)
    drawn = [
        statistic(np.concatenate([groups[k] for k in rng.integers(len(groups), size=len(groups))]))
        for _ in range(resamples)
    ]
    tail = 50.0 * (1.0 - confidence)
    low, high = np.percentile(drawn, [tail, 100.0 - tail])
    return Interval(float(statistic(sample)), float(low), float(high))


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
