"""Whether a loss without weights falls towards a minimum that lies at infinity."""

from __future__ import annotations

from typing import Any

from softres.common.arrays import norm
from softres.problems.evaluation import Evaluation
from softres.solvers.optimality.rounding import is_noise

__all__ = ["falls_on"]

#: Share of the slope along Newton's step that is left at its end where the model is wrong. Near x*
#: there is none left but a multiple of the step's length; towards infinity 1/e of the part of it
#: that points there.
SLOPE = 0.02
#: Share of the accuracy asked for from which on a step is looked at.
SURE = 0.1
#: Length of a step, over the way from the start, up to which it may be rounding.
ROUNDED = 1e-3


def falls_on(point: Evaluation, start: Evaluation, step: Any | None, eps: float) -> bool:
    """Whether a loss goes on falling where its quadratic model has its minimum.

    Without weights a b that is zero off a face of the convex hull of A's rows may be reached at
    infinity only: f puts all of its mass on the face. On the way there the loss, its gradient and
    its curvature all fall like exp(-t), so that an error in the norm of the Hessian, which
    vanishes, is small in the end. But Newton's step keeps its length, and at its end the slope
    along it has fallen to 1/e, and not to nothing.

    Takes one pass where there are no weights and the step is longer than a tenth of eps times
    the way from the start, and none otherwise.

    Parameters
    ----------
    point, start
        Where the solver is, and where it began.
    step
        Newton's step from the point, shape (d,); ``None`` where there is none.
    eps
        Error relative to the start's.
    """
    problem = point.problem
    if step is None or not problem.normalised or bool((problem.w2 > 0).any()):
        return False
    least = max(SURE * eps, ROUNDED) if is_noise(point) else SURE * eps
    if norm(step) <= least * norm(point.x - start.x):
        return False
    ray = point.along(step)
    end, slope = ray.at(1.0), ray.slope(point)
    return end.inside and slope < 0.0 and ray.slope(end) < SLOPE * slope
