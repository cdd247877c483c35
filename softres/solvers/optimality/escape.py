"""The way off a saddle."""

from __future__ import annotations

from typing import Any

from softres.common.arrays import array_namespace
from softres.problems.evaluation import Evaluation

__all__ = ["escape"]

#: Largest change of an entry of z that is tried, and how far that is halved.
FAR, HALVINGS = 8.0, 40


def escape(point: Evaluation, direction: Any) -> Evaluation | None:
    """Step off a point along a direction of negative curvature, shape (d,), to a lower loss.

    Both ways, each as far as the loss still falls, and to the lower end of the two; ``None`` if no
    fall can be told from rounding. One pass.
    """
    ray = point.along(direction)
    xp = array_namespace(ray.ap)
    reach = float(xp.max(xp.abs(ray.ap)))
    if not reach > 0:
        return None
    best: Evaluation | None = None
    for side in (1.0, -1.0):
        t = side * FAR / reach
        for _ in range(HALVINGS):
            trial = ray.at(t)
            # Downhill still, or where the loss is flat to rounding, by its slope alone.
            if trial.inside and side * ray.slope(trial) < 0 and trial.value <= point.value:
                if best is None or trial.value < best.value:
                    best = trial
                break
            t *= 0.5
    return best
