"""Whether a point lies where the loss stops being defined."""

from __future__ import annotations

from math import isfinite, log
from typing import Any

from softres.problems.evaluation import Evaluation

__all__ = ["at_boundary"]

#: alpha over beta below which a point may lie at the boundary.
NEAR_BOUNDARY = 2.0


def at_boundary(point: Evaluation, step: Any | None) -> bool:
    """Whether a point lies at alpha = beta, and the way down leads out.

    Parameters
    ----------
    point
        Where the loss is defined.
    step
        Newton's step there, shape (d,); ``None`` where there is none. Near an interior minimiser it
        leaves at least half of the distance to the boundary.
    """
    problem = point.problem
    if not problem.normalised or not isfinite(problem.log_beta):
        return False
    gap = point.log_alpha - problem.log_beta
    if gap > log(NEAR_BOUNDARY):
        return False
    if step is None:
        return True
    return abs(point.growth(problem.matrix.matmul(step))) > 0.5 * gap
