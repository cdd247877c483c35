"""What exact and approximate Newton share: a safeguarded direction, a line search, an estimate."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import Any

from softres.evaluation import Evaluation
from softres.linalg import Factor, SpectralFactor, cholesky, spectral
from softres.solvers.base import State, Tools
from softres.solvers.line_search import search
from softres.solvers.result import Status

__all__ = ["Direction", "direction", "newton_step"]


@dataclass(frozen=True)
class Direction:
    """A direction of descent from a Hessian or an approximation of it.

    Attributes
    ----------
    p
        The direction -|H|^+ g, shape (d,).
    factor
        What it was solved with.
    negative
        Eigenvalues of H that were negative; their absolute values were used.
    """

    p: Any
    factor: Factor
    negative: int


def direction(H: Any, gradient: Any) -> Direction | None:
    """Solve for the Newton direction, safeguarded where H is not positive definite.

    A positive definite H is solved with by Cholesky. Otherwise its eigenvalues are replaced by
    their absolute values (the saddle-free step of Dauphin et al., 2014), which keeps p a
    direction of descent, and those that are zero to rounding are left out, which makes p the
    minimum-norm solution where A is rank deficient.

    Returns ``None`` if H is not finite or its eigenvalues cannot be found.
    """
    factor: Factor | None = cholesky(H)
    negative = 0
    if factor is None:
        eigen: SpectralFactor | None = spectral(H)
        if eigen is None:
            return None
        factor, negative = eigen, eigen.negative
    return Direction(-factor.solve(gradient), factor, negative)


def newton_step(state: State, tools: Tools, H: Any, info: dict[str, float]) -> State:
    """Take one safeguarded step with the Hessian H or an approximation of it.

    Parameters
    ----------
    H
        Shape (d, d).
    info
        Columns for the trace; the step's own are added.
    """
    point = state.point
    with tools.meter.phase("factor"):
        found = direction(H, point.gradient)
    if found is None:
        return State(point, state.estimate, info, Status.LINEAR_SOLVE_FAILED)
    decrement = sqrt(max(0.0, -float(point.gradient @ found.p)))
    with tools.meter.phase("line_search"):
        accepted = search(point.along(found.p))
    if accepted is None:
        # No descent can be seen along a Newton direction: the floor of the arithmetic.
        return State(point, state.estimate, info, Status.STALLED)
    info |= {
        "decrement": decrement,
        "step_length": accepted.step_length,
        "trials": accepted.trials,
        "negative_eigenvalues": found.negative,
    }
    return State(accepted.point, estimate(accepted.point, found.factor, H, tools), info)


def estimate(point: Evaluation, factor: Factor, H: Any, tools: Tools) -> float:
    """Estimate |x - x*| / |x0 - x*| in the H-norm without knowing x*.

    The new gradient measured with the old factor, sqrt(g^T H^-1 g), is the error left, at the
    cost of one d x d solve; |x - x0| in the same norm stands for the distance that lay ahead at
    the start.
    """
    left = sqrt(max(0.0, float(point.gradient @ factor.solve(point.gradient))))
    moved = point.x - tools.start.x
    travelled = sqrt(max(0.0, float(moved @ (H @ moved))))
    return left / travelled if travelled > 0 else float("inf")
