"""Newton's method with a Hessian that is factored as rarely as possible: the fast solver."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from math import inf, sqrt
from typing import Any, ClassVar

from softres.curvature import Curvature
from softres.evaluation import Evaluation
from softres.solvers.base import Solver, State, Tools, require
from softres.solvers.column_scaling import ColumnScaling
from softres.solvers.cost_model import CostModel
from softres.solvers.gram_factor import form_gram, form_sketch
from softres.solvers.line_search import minimise_along, reach
from softres.solvers.maintained import MaintainedHessian
from softres.solvers.newton import Memory as NewtonMemory
from softres.solvers.newton import newton_step
from softres.solvers.refresh import Progress, RefreshPolicy
from softres.solvers.result import Status
from softres.solvers.secant import SecantPairs
from softres.solvers.trust_region import gram_noise

__all__ = ["PreconditionedNewton"]

FACTORS = ("auto", "gram", "sketch", "columns")
#: Gauss-Newton steps in a row that contract by less than half before a saddle is suspected.
PATIENCE = 6


@dataclass
class _Memory:
    """What the solver carries from step to step; it changes in place.

    ``columns`` preconditions while there is no factor, ``hessian`` afterwards. ``exact`` tells
    whether the latter follows the Hessian, or the Gauss-Newton matrix where that is indefinite.
    ``coarse`` is set once a sketch turned out too coarse to be factored, ``aslant`` once a step
    without a factor may have left the range of A^T.
    """

    policy: RefreshPolicy
    pairs: SecantPairs
    hessian: MaintainedHessian
    columns: ColumnScaling | None = None
    exact: bool = True
    weak: int = 0
    sketched: bool = False
    coarse: bool = False
    aslant: bool = False
    progress: Progress = field(default_factory=Progress)
    newton: NewtonMemory = field(default_factory=NewtonMemory)

    def solve(self, y: Any) -> Any:
        """Return M^-1 y."""
        if self.columns is not None:
            return self.columns.solve(y)
        assert self.hessian.factor is not None
        return self.hessian.project(self.hessian.factor.solve(y))

    def norm(self, x: Any) -> float:
        """Return the norm of x in M."""
        if self.columns is not None:
            return self.columns.norm(x)
        return sqrt(max(0.0, float(x @ (self.hessian.total @ x))))


@dataclass(frozen=True)
class PreconditionedNewton(Solver):
    """x+ = x - t M^-1 g with the exact gradient g and a Hessian M that is maintained.

    M is formed once, in the way with the least predicted time on this machine, and then follows
    the iterates row by row (:class:`~softres.solvers.maintained.MaintainedHessian`). Where it is
    not positive definite the Gauss-Newton matrix takes its place, and where that gets nowhere a
    trust-region step with the exact Hessian. Between changes of M, secant pairs correct it
    (:class:`~softres.solvers.secant.SecantPairs`). A step takes two passes over A: g, and A p,
    with which the line search is free.

    Where a factor is dear, the first step does without one: columns scaled to equal curvature. If
    that goes well the others do too, for as long as it is predicted to be the faster way.

    For an A of deficient rank without weights on its null space, x - x0 lies in the range of A^T
    once there is a factor: from x0 = 0 the solution is then the one of least norm. Steps without
    a factor reach a minimiser too, but not that one.

    Attributes
    ----------
    factor
        ``"auto"``; or ``"gram"``, ``"sketch"`` or ``"columns"`` (none) to choose it.
    memory
        Secant pairs kept.
    """

    name: ClassVar[str] = "preconditioned_newton"
    factor: str = "auto"
    memory: int = 8

    def __post_init__(self) -> None:
        require(self.factor in FACTORS, self, "factor", ", ".join(FACTORS))
        require(self.memory >= 1, self, "memory", "a whole number >= 1")

    def init(self, tools: Tools) -> State:
        """Plan which factor to start from."""
        matrix = tools.start.problem.matrix
        costs = CostModel.of(matrix)
        plan = costs.plan(tools.eps)
        if self.factor in ("gram", "sketch"):
            plan = replace(plan, source=self.factor, oversampling=plan.oversampling or 16)
        policy = RefreshPolicy(costs, plan, tools.eps)
        memory = _Memory(policy, SecantPairs(self.memory), MaintainedHessian(matrix))
        if self.factor == "columns" or (self.factor == "auto" and policy.try_without):
            with tools.meter.phase("factor"):
                memory.columns = ColumnScaling.of(tools.start, tools.rng)
        return State(tools.start, memory=memory)

    def step(self, state: State, tools: Tools) -> State:
        """Bring M up to date, and minimise along its direction."""
        point, memory = state.point, state.memory
        info: dict[str, float] = {}
        if memory.columns is None and (
            memory.weak >= PATIENCE or not self._follow(point, memory, tools, info)
        ):
            return self._trust_region_step(state, tools, info)
        rate = memory.progress.contraction
        p = -memory.pairs.apply(point.gradient, memory.solve)
        with tools.meter.phase("line_search"):
            ray = point.along(p)
            found = minimise_along(ray, reach(ray))
        if found is None:
            return self._without_pairs(state, tools, info)
        new = found.point
        memory.aslant = memory.aslant or memory.columns is not None
        if memory.aslant and memory.hessian.null is not None:
            # Along null vectors z does not change: x is brought back without another product.
            x0 = tools.start.x
            new = new.problem.at(x0 + memory.hessian.project(new.x - x0), new.z)
            memory.aslant = False
        s, y = new.x - point.x, new.gradient - point.gradient
        memory.pairs.add(s, y)
        left = sqrt(max(0.0, float(new.gradient @ memory.solve(new.gradient))))
        travelled = memory.norm(new.x - tools.start.x)
        estimate = left / travelled if travelled > 0 else inf
        memory.progress.note(left, estimate)
        info |= {
            "step_length": found.step_length,
            "trials": found.trials,
            "gauss_newton": float(not memory.exact),
            "without_factor": float(memory.columns is not None),
        }
        if memory.columns is not None:
            self._reconsider(memory)
        else:
            slow = not memory.exact and memory.progress.contraction > 0.5
            memory.weak = memory.weak + 1 if slow else 0
            if memory.hessian.diffuse and info.get("rows_updated"):
                memory.progress.tried = rate
        return State(new, estimate, info, memory=memory)

    def _reconsider(self, memory: _Memory) -> None:
        """Give up doing without a factor where that looks the slower way."""
        if self.factor == "auto" and not memory.policy.carry_on_without(memory.progress):
            memory.columns = None
            memory.pairs.clear()
            memory.progress.restart()

    def _follow(
        self, point: Evaluation, memory: _Memory, tools: Tools, info: dict[str, float]
    ) -> bool:
        """Bring the maintained Hessian to a point and factor it; whether that succeeded."""
        hessian, policy, progress = memory.hessian, memory.policy, memory.progress
        fresh = hessian.total is None
        anew = fresh or policy.always_anew or (memory.exact and policy.form_anew(progress))
        noise = gram_noise(point)

        # A sketch takes the root of D, so that it starts from Gauss-Newton where D has two signs.
        sketch = fresh and policy.plan.source == "sketch" and not memory.coarse

        def form(diagonal: Any) -> Any:
            matrix = point.problem.matrix
            memory.sketched = sketch and bool((diagonal >= 0).all())
            if memory.sketched:
                return form_sketch(matrix, diagonal, policy.plan.oversampling, tools.rng)
            return form_gram(matrix, diagonal, single=fresh and not policy.always_anew)

        def towards(target: Curvature, anew: bool, exact: bool) -> bool:
            with tools.meter.phase("hessian"):
                if anew:
                    hessian.rebuild(target, form)
                else:
                    thrifty = not exact and not policy.update_rows(progress)
                    rows = hessian.follow(target, policy.costs.row_limit(), exact, thrifty)
                    info["rows_updated"] = info.get("rows_updated", 0.0) + rows
            if not hessian.changed:
                return True
            with tools.meter.phase("factor"):
                return hessian.refactor(noise)

        memory.exact = not (sketch and bool((point.curvature.diagonal < 0).any()))
        if memory.exact and towards(point.curvature, anew, exact=False):
            # A sketch stays wrong by the same amount: what the pairs say of it stays true.
            if anew or (info["rows_updated"] and not memory.sketched):
                memory.pairs.clear()
            return True
        memory.exact = False
        memory.pairs.clear()
        # The Gauss-Newton matrix is semidefinite: if it cannot be factored, it is singular, or
        # too many of its rows are out of date.
        for formed in (False, True) if hessian.formed and not policy.always_anew else (True,):
            if towards(point.gauss_newton, formed, exact=True):
                return True
            with tools.meter.phase("factor"):
                if hessian.regularise(noise):
                    return True
        if sketch:
            # The exact rank-two part cancels most of the diagonal part: no place for a sketch.
            memory.coarse = True
            return self._follow(point, memory, tools, info)
        return False

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
        memory.weak = 0
        memory.pairs.clear()
        memory.progress.restart()
        return replace(taken, memory=memory)

    def _without_pairs(self, state: State, tools: Tools, info: dict[str, float]) -> State:
        """No descent along the direction: a cause less, and another try, or the end."""
        memory = state.memory
        if len(memory.pairs):
            memory.pairs.clear()
            return self.step(state, tools)
        if memory.columns is not None and self.factor == "auto":
            memory.columns = None
            memory.progress.restart()
            return self.step(state, tools)
        return replace(state, info=info, status=Status.STALLED)
