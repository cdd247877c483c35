"""A line search for losses that are flat to rounding: it decides by the directional derivative."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, sqrt
from typing import Any

from softres.common.reading import scalar
from softres.problems import Problem
from softres.problems.evaluation import Evaluation
from softres.problems.ray import Ray

__all__ = [
    "LineSearch",
    "flat",
    "minimise_along",
    "reach",
    "rounding",
    "search",
    "slope_allows",
]

#: Share of the first-order decrease that must be kept (Armijo's constant).
SUFFICIENT = 1e-4
#: Slope at the new point, over the slope at the start, up to which a step counts as a decrease
#: where the loss itself cannot tell (the approximate Wolfe condition of Hager and Zhang, 2005).
APPROXIMATE = 0.8
#: Relative change of the loss below which it is taken to be rounding, over the root of the unit of
#: rounding: 1e-10 in double precision, 2e-6 in single.
FLAT_CHANGE = 1e-10 / sqrt(2.0**-52)
#: Largest change of the differences of z in a first trial, for a normalised f.
SPREAD = 8.0
#: Trials before giving up: 2^-60 of a step is no step.
MAX_TRIALS = 60


def rounding(problem: Problem) -> float:
    """Return the relative change of a problem's loss below which it is taken to be rounding."""
    return FLAT_CHANGE * sqrt(problem.unit)


def flat(change: float, origin: Evaluation) -> bool:
    """Whether a change of the loss from a point is too small to be told from rounding."""
    return abs(change) <= rounding(origin.problem) * abs(origin.value)


def _falls(change: float, origin: Evaluation, t: float, slope: float, slope0: float) -> bool:
    """Whether a trial at t counts as a decrease.

    Where rounding blurs the loss its slope is still exact, and it alone decides.
    """
    if flat(change, origin):
        return slope <= -APPROXIMATE * slope0
    return change <= SUFFICIENT * t * slope0


def slope_allows(ray: Ray, point: Evaluation) -> bool:
    """Whether the slope at a point of the ray shows a decrease that the loss cannot show."""
    return ray.slope(point) <= -APPROXIMATE * ray.slope(ray.origin)


@dataclass(frozen=True)
class LineSearch:
    """The outcome: the new point, the step length t, and how many points were tried."""

    point: Evaluation
    step_length: float
    trials: int


def search(ray: Ray, first: Any = 1.0) -> LineSearch | None:
    """Backtrack from t = first to a point of sufficient decrease, without a further pass over A.

    A trial is accepted if it lies where the loss is defined and either the loss falls by
    Armijo's rule, or the loss is flat to rounding and the slope has not turned to more than 0.8
    times its opposite. Trials shrink to the secant's zero of the slope, kept within a tenth and a
    half of the last trial.

    Returns ``None`` if p is not a direction of descent or no trial is accepted.
    """
    origin = ray.origin
    point = ray.at(first)  # before the slope at the start: a device tells both at once
    t = ray.length(first)
    slope0 = ray.slope(origin)
    if not slope0 < 0:
        return None
    for trial in range(1, MAX_TRIALS + 1):
        if trial > 1:
            point = ray.at(t)
        if not point.inside:
            t *= 0.5
            continue
        slope = ray.slope(point)
        if _falls(point.value - origin.value, origin, t, slope, slope0):
            return LineSearch(point, t, trial)
        if slope > 0:
            t *= min(0.5, max(0.1, slope0 / (slope0 - slope)))
        else:
            t *= 0.5
    return None


def reach(ray: Ray) -> Any:
    """Return a first step length along a ray: 1, or less where it would move z too far apart.

    A float, and on a device an array without axes there.

    A normalised f puts all its mass on a few rows once the entries of z are far apart; there the
    loss is flat, and a search has nothing to go by.
    """
    if not ray.origin.problem.normalised:
        return 1.0
    spread = scalar(ray.ap.max()) - scalar(ray.ap.min())
    if isinstance(spread, float):
        return 1.0 if spread <= SPREAD else SPREAD / spread
    return (SPREAD / spread).clamp(max=1.0)


def minimise_along(
    ray: Ray, first: Any = 1.0, tolerance: float = 0.1, trials: int = 10
) -> LineSearch | None:
    """Search for a point of sufficient decrease whose slope is small as well.

    Points of a ray cost no pass over A, so a good minimum along p is nearly free where d is large.
    Newton's method in t, kept within the bracket of the slope's sign change, until the slope is at
    most ``tolerance`` times that at the start. Falls back on :func:`search`. ``first`` is the first
    t that is tried.

    Returns ``None`` if p is not a direction of descent or no point is accepted.
    """
    origin = ray.origin
    low, high = 0.0, inf
    point = ray.at(first)  # before the slope at the start: a device tells both at once
    t, best = ray.length(first), None
    slope0 = ray.slope(origin)
    if not slope0 < 0:
        return None
    for trial in range(1, trials + 1):
        if trial > 1:
            point = ray.at(t)
        slope = ray.slope(point) if point.inside else inf
        change = point.value - origin.value if point.inside else inf
        falls = _falls(change, origin, t, slope, slope0)
        if falls:
            best = LineSearch(point, t, trial)
            if abs(slope) <= -tolerance * slope0:
                return best
        if falls and slope < 0:
            low = t
        else:
            high = t
        curvature = ray.curvature(point) if falls else 0.0
        t = t - slope / curvature if curvature > 0 else (low + high) / 2 if high < inf else 4.0 * t
        if high < inf:
            margin = 0.1 * (high - low)
            t = min(max(t, low + margin), high - margin)
        t = min(t, 4.0 * low) if low > 0 else t
    return best or search(ray, first)
