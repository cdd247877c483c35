"""What exact and approximate Newton share: the safeguarded step and the estimate of the error."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import inf, sqrt
from typing import Any

from softres.common.arrays import array_namespace
from softres.common.reading import Number, Reading
from softres.linalg.factors import cholesky
from softres.linalg.nullspace import filled, null_basis
from softres.problems.curvature import Curvature
from softres.problems.evaluation import Evaluation
from softres.solvers.base import State, Tools
from softres.solvers.optimality import Projected
from softres.solvers.result import Status
from softres.solvers.steps.line_search import minimise_along
from softres.solvers.steps.trust_region import trust_region_step

__all__ = ["Memory", "estimated_error", "newton_step"]


@dataclass(frozen=True)
class Memory:
    """What a Newton solver carries from step to step.

    Attributes
    ----------
    null
        An orthonormal basis of A's null space, shape (d, d - rank); ``None`` until a Hessian
        could not be factored and it was looked for.
    radius
        The trust region's radius, in the Gauss-Newton norm; ``None`` before its first use.
    """

    null: Any | None = None
    radius: float | None = None

    def fill(self, H: Any, scale: Any) -> Any:
        """Return H made definite on A's null space; ``scale`` holds the norms of A's columns."""
        return H if self.null is None else filled(H, self.null, scale)

    def project(self, p: Any) -> Any:
        """Return p without its component in A's null space."""
        if self.null is None or self.null.shape[1] == 0:
            return p
        return p - self.null @ (self.null.T @ p)


def newton_step(
    state: State,
    tools: Tools,
    H: Any,
    gauss_newton: Callable[[], Any],
    info: dict[str, float],
    serves: Callable[[Evaluation], bool] | None = None,
    curvature: Curvature | None = None,
) -> State:
    """Take one safeguarded step with the Hessian H or an approximation of it.

    Where H is positive definite (on the range of A^T), the step is Newton's with a line search
    that tries t = 1 first. Where it is not, the step is the lower one of two: Gauss-Newton's with
    a line search, and a trust region's in the norm of the Gauss-Newton matrix.

    Parameters
    ----------
    H
        Shape (d, d).
    gauss_newton
        Forms the Gauss-Newton matrix, shape (d, d); called only where H is indefinite.
    info
        Columns for the trace; the step's own are added.
    curvature
        H's in z, where H is exact.
    serves
        Whether H will serve at the new point as well: its curvature is not needed then.
    """
    point = state.point
    memory: Memory = state.memory or Memory()
    with tools.meter.phase("factor"):
        scale, noise = point.problem.matrix.column_scale, point.problem.gram_noise
        full = memory.fill(H, scale)
        factor = cholesky(full, scale, noise)
        if factor is None and memory.null is None and _finite(H):
            memory = replace(memory, null=null_basis(point.problem.matrix))
            full = memory.fill(H, scale)
            factor = cholesky(full, scale, noise)
    if factor is None:
        return _indefinite_step(state, tools, full, gauss_newton, info, memory)
    p = memory.project(-factor.solve(point.gradient))
    with tools.meter.phase("line_search"):
        accepted = minimise_along(point.along(p))
    if accepted is None:
        # No descent can be seen along a Newton direction: the floor of the arithmetic.
        return replace(state, info=info, status=Status.STALLED, memory=memory)
    if serves is None or not serves(accepted.point):
        accepted.point.differentiate()  # the next step needs both parts
    gradient, reading = accepted.point.gradient, Reading()
    size = accepted.point.ask_gradient_norm(reading)
    decrement = reading.number(point.gradient @ p)
    left = reading.dual_norm(gradient, factor.solve(gradient))
    error = ask_error(reading, left, accepted.point, H, tools)()
    size()
    info |= {
        "decrement": sqrt(max(0.0, -decrement())),
        "step_length": accepted.step_length,
        "trials": accepted.trials,
        "negative_eigenvalues": 0,
    }
    metric = Projected(factor, memory.null, scale, curvature)
    return State(accepted.point, error, info, memory=memory, metric=metric)


def _indefinite_step(
    state: State,
    tools: Tools,
    H: Any,
    gauss_newton: Callable[[], Any],
    info: dict[str, float],
    memory: Memory,
) -> State:
    if not _finite(H):
        return replace(state, info=info, status=Status.LINEAR_SOLVE_FAILED, memory=memory)
    with tools.meter.phase("hessian"):
        B = memory.fill(gauss_newton(), state.point.problem.matrix.column_scale)
    with tools.meter.phase("trust_region"):
        taken = trust_region_step(state.point, H, B, memory.radius, memory.null)
    if taken is None:
        return replace(state, info=info, status=Status.STALLED, memory=memory)
    info |= {"trials": taken.trials, "negative_eigenvalues": taken.negative}
    # A point with an indefinite Hessian is no minimiser, so there is no error to estimate.
    error = (
        estimated_error(taken.left, taken.point, H, tools) if taken.negative == 0 else float("inf")
    )
    return State(taken.point, error, info, memory=replace(memory, radius=taken.radius))


def _finite(H: Any) -> bool:
    xp = array_namespace(H)
    return bool(xp.all(xp.isfinite(H)))


def estimated_error(left: float, point: Evaluation, H: Any, tools: Tools) -> float:
    """Return :func:`ask_error`'s estimate for a ``left`` that is known."""
    return ask_error(Reading(), lambda: left, point, H, tools)()


def ask_error(reading: Reading, left: Number, point: Evaluation, H: Any, tools: Tools) -> Number:
    """Estimate |x - x*| / |x0 - x*| in the norm of H without knowing x*.

    ``left`` is the new gradient measured with the old factor, sqrt(g^T H^-1 g), at the cost of one
    d x d solve; |x - x0| in the same norm stands for the distance that lay ahead at the start.
    """
    moved = point.x - tools.start.x
    square = reading.number(moved @ (H @ moved))

    def estimate() -> float:
        travelled = sqrt(max(0.0, square()))
        return left() / travelled if travelled > 0 else inf

    return estimate
