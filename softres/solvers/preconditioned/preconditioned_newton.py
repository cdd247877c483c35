"""Newton's method with a Hessian that is factored as rarely as possible: the fast solver."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from math import inf
from typing import ClassVar

from softres.linalg.free_memory import check_squares
from softres.problems.evaluation import Evaluation
from softres.solvers.base import Solver, State, Tools, require
from softres.solvers.preconditioned import tuning
from softres.solvers.preconditioned.column_scaling import ColumnScaling
from softres.solvers.preconditioned.cost_model import CostModel
from softres.solvers.preconditioned.definite_hessian import DefiniteHessian
from softres.solvers.preconditioned.machine import RATES, machine_of
from softres.solvers.preconditioned.maintained import MaintainedHessian
from softres.solvers.preconditioned.preconditioner import Preconditioner, StepSeen
from softres.solvers.preconditioned.refresh import RefreshPolicy
from softres.solvers.preconditioned.secant import SecantPairs
from softres.solvers.result import Status
from softres.solvers.steps.line_search import flat, minimise_along, reach
from softres.solvers.steps.newton import Memory as NewtonMemory
from softres.solvers.steps.newton import newton_step

__all__ = ["PreconditionedNewton"]

FACTORS = ("auto", "gram", "sketch", "columns")


@dataclass
class _Memory:
    """What the solver carries from step to step; it changes in place.

    ``left_row_space`` is set once a step without a factor may have left the row space of A.
    """

    preconditioner: Preconditioner
    left_row_space: bool = False
    newton: NewtonMemory = field(default_factory=NewtonMemory)


@dataclass(frozen=True)
class PreconditionedNewton(Solver):
    """x+ = x - t M^-1 g with the exact gradient g and a Hessian M that is maintained.

    M is formed once, in the way with the least predicted time on this machine, and then follows
    the iterates row by row
    (:class:`~softres.solvers.preconditioned.maintained.MaintainedHessian`). Where it is not
    positive definite the Gauss-Newton matrix takes its place, and where that gets nowhere a
    trust-region step with the exact Hessian. Between changes of M, secant pairs correct it
    (:class:`~softres.solvers.preconditioned.secant.SecantPairs`). A step takes two passes over A:
    g, and A p, with which the line search is free.

    Where a Gram matrix costs less than the rest of a step, every step forms M anew and then goes
    on with it, two passes each time and no bookkeeping, for as long as that is predicted to be the
    faster way (the step's ``corrections``).

    Where a factor is expensive, the first step does without one: columns scaled to equal
    curvature. If that goes well the others do too, for as long as it is predicted to be the faster
    way.

    For an A of deficient rank without weights on its null space, x - x0 lies in the range of A^T
    once there is a factor: from x0 = 0 the solution is then the one of least norm. Steps without
    a factor reach a minimiser too, but not that one.

    Attributes
    ----------
    factor
        ``"auto"``; or ``"gram"``, ``"sketch"`` or ``"columns"`` (none) to choose it.
    memory
        Secant pairs kept.
    rates
        What predictions are made from: ``"measured"``, what this machine does, which is the
        fastest; or ``"nominal"``, a typical core, so that the same problem is solved in the same
        steps on every machine, but for rounding.
    """

    name: ClassVar[str] = "preconditioned_newton"
    order: ClassVar[int] = 1
    resumes: ClassVar[bool] = True
    factor: str = "auto"
    memory: int = 8
    rates: str = "measured"

    def __post_init__(self) -> None:
        super().__post_init__()
        require(self.factor in FACTORS, self, "factor", ", ".join(FACTORS))
        require(self.memory >= 1, self, "memory", "a whole number >= 1")
        require(self.rates in RATES, self, "rates", " or ".join(RATES))

    def init(self, tools: Tools) -> State:
        """Plan which factor to start from."""
        matrix = tools.start.problem.matrix
        costs = CostModel.of(matrix, machine_of(self.rates))
        plan = costs.plan(tools.eps)
        if self.factor in ("gram", "sketch"):
            rows = plan.oversampling or tuning.CHOSEN_OVERSAMPLING
            plan = replace(plan, source=self.factor, oversampling=rows)
        problem = tools.start.problem
        if plan.source == "sketch":
            problem.require_diagonal("solver.factor=sketch")
        policy = RefreshPolicy(costs, plan, tools.eps, by_rows=not problem.blocks)
        definite = DefiniteHessian(policy, MaintainedHessian(matrix))
        M = Preconditioner(policy, SecantPairs(self.memory), definite)
        if self.factor == "columns" or (self.factor == "auto" and policy.try_without_factor):
            with tools.meter.phase("factor"):
                M.columns = ColumnScaling.of(tools.start, tools.rng)
        else:
            check_squares(self.name, matrix, 3)
        return State(tools.start, memory=_Memory(M))

    def step(self, state: State, tools: Tools) -> State:
        """Bring M up to date, and minimise along its direction."""
        point, memory = state.point, state.memory
        M = memory.preconditioner
        info: dict[str, float] = {}
        if M.columns is None and (M.stagnation.suspects_saddle or not M.follow(point, tools, info)):
            return self._trust_region_step(state, tools, info)
        p = M.direction(point.gradient)
        with tools.meter.phase("line_search"):
            ray = point.along(p)
            loose = M.policy.always_rebuild
            slope = tuning.LOOSE_SEARCH if loose else tuning.TIGHT_SEARCH
            found = minimise_along(ray, reach(ray), slope)
        if found is None:
            return self._without_pairs(state, tools, info)
        new = found.point
        memory.left_row_space = memory.left_row_space or M.columns is not None
        if memory.left_row_space and M.hessian.null is not None:
            # Along null vectors z does not change: x is brought back without another product.
            x0 = tools.start.x
            new = new.problem.at(x0 + M.hessian.project(new.x - x0), new.z)
            memory.left_row_space = False
        estimate = _note(M, M.look(point, new, tools.start.x), found.step_length)
        corrections = 0
        # A full step was right: the quadratic model is good here.
        if M.policy.always_rebuild and M.columns is None and found.step_length == 1.0:
            with tools.meter.phase("corrections"):
                new, estimate, corrections = self._correct(new, estimate, M, tools)
        info |= {
            "corrections": float(corrections),
            "step_length": found.step_length,
            "trials": found.trials,
            "gauss_newton": float(not M.definite.exact),
            "without_factor": float(M.columns is not None),
        }
        doing_without = M.columns is not None and self.factor == "auto"
        if doing_without and not M.policy.continue_without_factor(M.progress):
            M.use_factor()
        return State(new, estimate, info, memory=memory, metric=M.metric)

    def _correct(
        self, point: Evaluation, estimate: float, M: Preconditioner, tools: Tools
    ) -> tuple[Evaluation, float, int]:
        """Take further full steps with the same M while that is the fastest way on.

        Without a search along them: one that is no gain is dropped, and the next step forms M anew.

        Returns
        -------
        The new point, the estimate of its error, and how many steps were taken.
        """
        taken = 0
        while M.definite.exact and M.policy.correction_pays(M.progress):
            new = point.along(M.direction(point.gradient)).at(1.0)
            if not new.inside:
                break
            change, seen = new.value - point.value, M.look(point, new, tools.start.x)
            rises = change > 0 and not flat(change, point)
            if seen.dual_norm >= M.progress.dual_norm or rises:
                break
            estimate = _note(M, seen)
            point, taken = new, taken + 1
        return point, estimate, taken

    def _trust_region_step(self, state: State, tools: Tools, info: dict[str, float]) -> State:
        """Take a step with the exact Hessian, which sees the way down from a saddle."""
        point, memory = state.point, state.memory
        with tools.meter.phase("hessian"):
            H = point.hessian()
        matrix = point.problem.matrix
        taken = newton_step(
            replace(state, memory=memory.newton),
            tools,
            H,
            lambda: point.gauss_newton.hessian(matrix),
            info,
        )
        memory.newton = taken.memory
        memory.preconditioner.restart()
        return replace(taken, memory=memory)

    def _without_pairs(self, state: State, tools: Tools, info: dict[str, float]) -> State:
        """No descent along the direction: a cause less, and another try, or the end."""
        M = state.memory.preconditioner
        if len(M.pairs):
            M.pairs.clear()
            return self.step(state, tools)
        if M.columns is not None and self.factor == "auto":
            M.use_factor()
            return self.step(state, tools)
        return replace(state, info=info, status=Status.STALLED)


def _note(M: Preconditioner, seen: StepSeen, step_length: float = 1.0) -> float:
    """Let M learn from a step; return the estimated relative error.

    A minimum far beyond a full step shows that M is too large, by as much; then the error is
    larger than its norms tell.
    """
    travelled = seen.travelled
    estimate = seen.dual_norm / travelled * max(1.0, step_length) if travelled > 0 else inf
    M.note(seen, estimate)
    return estimate
