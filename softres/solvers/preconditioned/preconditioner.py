"""The matrix M of a step x - t M^-1 g: what is done with it, and what steps tell of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from math import inf, sqrt
from typing import Any, NamedTuple

from softres.common.arrays import dual_norm, stays
from softres.common.reading import Reading
from softres.linalg.free_memory import check_squares
from softres.problems.evaluation import Evaluation
from softres.solvers.base import Tools
from softres.solvers.optimality import Metric, Projected
from softres.solvers.preconditioned import tuning
from softres.solvers.preconditioned.column_scaling import ColumnScaling
from softres.solvers.preconditioned.definite_hessian import DefiniteHessian
from softres.solvers.preconditioned.maintained import MaintainedHessian
from softres.solvers.preconditioned.refresh import Progress, RefreshPolicy, Stagnation
from softres.solvers.preconditioned.secant import SecantPairs

__all__ = ["Preconditioner", "StepSeen"]


class StepSeen(NamedTuple):
    """What a step tells.

    Attributes
    ----------
    dual_norm
        The new gradient in the norm of M^-1: an estimate of the error in the norm of M.
    travelled
        The way from the start in the norm of M.
    learn
        Keeps the step and the change of the gradient along it as a secant pair.
    """

    dual_norm: float
    travelled: float
    learn: Callable[[], None]


@dataclass
class Preconditioner:
    """M, and what is known about how well it does; it changes in place.

    Attributes
    ----------
    policy
        Weighs what a change of M saves against what it costs.
    pairs
        What the changes of the gradient say about the error of M.
    definite
        The factored Hessian, or what stands for it.
    columns
        M while there is no factor.
    progress
        How the last steps went.
    stagnation
        How long Gauss-Newton has got nowhere.
    """

    policy: RefreshPolicy
    pairs: SecantPairs
    definite: DefiniteHessian
    columns: ColumnScaling | None = None
    progress: Progress = field(default_factory=Progress)
    stagnation: Stagnation = field(default_factory=Stagnation)

    @property
    def hessian(self) -> MaintainedHessian:
        """The factored matrix that follows the iterates."""
        return self.definite.hessian

    @property
    def metric(self) -> Metric | None:
        """The factored Hessian, for who wants to look at a point; ``None`` without a factor."""
        hessian = self.hessian
        if self.columns is not None or hessian.factor is None:
            return None
        scale = hessian.matrix.column_scale
        return Projected(hessian.factor, hessian.null, scale, hessian.curvature)

    def solve(self, y: Any) -> Any:
        """Return M^-1 y."""
        if self.columns is not None:
            return self.columns.solve(y)
        assert self.hessian.factor is not None
        return self.hessian.project(self.hessian.factor.solve(y))

    def look(self, point: Evaluation, new: Evaluation, x0: Any) -> StepSeen:
        """Return what a step between two points tells; from a device in one transfer.

        Parameters
        ----------
        x0
            Where the solve started, shape (d,).
        """
        gradient, moved = new.gradient, new.x - x0
        if not stays(gradient):
            left = dual_norm(gradient, self.solve(gradient))
            square_there = float(moved @ self._apply(moved))
            s, y = new.x - point.x, gradient - point.gradient
            return StepSeen(left, sqrt(max(0.0, square_there)), partial(self.pairs.add, s, y))
        reading = Reading()
        size = new.ask_gradient_norm(reading)
        asked = reading.dual_norm(gradient, self.solve(gradient))
        square = reading.number(moved @ self._apply(moved))
        learn = self.pairs.ask(reading, new.x - point.x, gradient - point.gradient)
        size()
        return StepSeen(asked(), sqrt(max(0.0, square())), learn)

    def _apply(self, x: Any) -> Any:
        """Return M x."""
        return self.hessian.total @ x if self.columns is None else self.columns.scale * x

    def direction(self, gradient: Any) -> Any:
        """Return -M^-1 g, with M corrected by the secant pairs, for a gradient g, shape (d,)."""
        p = -self.pairs.apply(gradient, self.solve)
        unknown = self.definite.exact and self.progress.dual_norm == inf
        decide = self.policy.expensive_factor or unknown
        if decide and self.columns is None and not len(self.pairs):
            # The gradient in the norm of a new M comes free with the first direction: whether to
            # keep M is decided after one step with it, not after two.
            self.progress.dual_norm = sqrt(max(0.0, -float(gradient @ p)))
        return p

    def note(self, seen: StepSeen, estimate: float) -> None:
        """Take in a step, with the relative error that is estimated after it."""
        rate = self.progress.contraction
        seen.learn()
        self.progress.note(seen.dual_norm, estimate)
        if self.columns is not None:
            return
        if self.definite.renewed:
            exact = self.definite.exact
            self.stagnation.note(self.progress.contraction, estimate, exact=exact)
            # How well the first step with M went, from afar, says little about rows.
            if (
                self.hessian.diffuse
                and self.hessian.updated
                and self.progress.steps > tuning.FAR_STEPS
            ):
                self.progress.before_row_update = rate

    def restart(self) -> None:
        """Forget what steps have told: the next one is of another kind."""
        self.pairs.clear()
        self.progress.restart()
        self.stagnation.restart()

    def use_factor(self) -> None:
        """Do without a factor no longer."""
        check_squares("preconditioned_newton", self.hessian.matrix, 3)
        self.columns = None
        self.restart()

    def follow(self, point: Evaluation, tools: Tools, info: dict[str, float]) -> bool:
        """Bring M to a point; whether that succeeded. See :meth:`DefiniteHessian.follow`."""
        succeeded = self.definite.follow(point, self.progress, tools, info)
        if self.definite.error_changed:
            self.pairs.clear()
        return succeeded
