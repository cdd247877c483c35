"""Solving many targets: blocks of columns that fit a budget of memory, one after the other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from time import perf_counter
from typing import Any

import numpy as np

from softres.common.arrays import array_namespace, copied
from softres.common.checks import number, shown
from softres.common.errors import InputError
from softres.linalg.free_memory import check_squares
from softres.linalg.nullspace import null_basis
from softres.matrices import given_array
from softres.problems.many_targets import ManyTargets
from softres.solvers.exact_newton import ExactNewton
from softres.solvers.loop import iterate
from softres.solvers.many.newton import GIVE_UP, Block, start_block, step_block
from softres.solvers.many.result import ManyResult
from softres.solvers.optimality import Projected, at_boundary, examine
from softres.solvers.result import Row, Status

__all__ = ["MANY_TARGET_SOLVERS", "ManyOptions", "solve_many"]

#: The solvers that have a form for many targets: a factor for every step, or as few as pay.
MANY_TARGET_SOLVERS = ("preconditioned_newton", "exact_newton")
#: Work arrays of n and of d^2 doubles that a target of a block needs at most.
ROW_ARRAYS, SQUARE_ARRAYS = 9, 5


@dataclass(frozen=True)
class ManyOptions:
    """How many targets are solved together.

    Attributes
    ----------
    megabytes
        Memory for work arrays, A and B not counted. Targets are solved in blocks of as many
        columns as fit; at least one does.
    """

    megabytes: float = 256.0

    def __post_init__(self) -> None:
        number("megabytes", self.megabytes)

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> ManyOptions:
        """Return the options of that name; an unknown name is an :class:`InputError`."""
        for option in options:
            if option != "megabytes":
                raise InputError(f"{option}: many targets have no such option; theirs is megabytes")
        return cls(**options)

    def columns(self, n: int, d: int) -> int:
        """Return how many targets of n rows and d columns fit."""
        each = 8 * (ROW_ARRAYS * n + SQUARE_ARRAYS * d * d)
        return max(1, int(self.megabytes * 1e6 / each))


def solve_many(
    problem: ManyTargets,
    solver: object = "preconditioned_newton",
    x0: Any = None,
    eps: float = 1e-10,
    max_steps: int = 200,
    time_limit: float | None = None,
    options: ManyOptions | None = None,
) -> ManyResult:
    """Minimise the loss of every target; see :func:`softres.solve` for the parameters.

    Each iteration takes one step with every target of a block that has not ended. Two products
    with A serve all of them, and so does, where A is dense and narrow, one large product for all
    Gram matrices that are renewed. A target's matrix is the Gauss-Newton one, which is positive
    semidefinite, and the Hessian where that contracts slowly. A target that makes no progress so is
    solved alone from its start, by exact Newton with a trust region.

    Parameters
    ----------
    solver
        ``"preconditioned_newton"``: factors are kept for as long as that is the faster way;
        ``"exact_newton"``: renewed in every step.
    x0
        Shape (d,), for all targets, or (d, m); default ``problem.start()``.

    Raises
    ------
    InputError
        If an argument is out of range, or a start lies where the loss is undefined.
    """
    if not (isinstance(solver, str) and solver in MANY_TARGET_SOLVERS):
        raise InputError(
            f"solver={shown(solver)}: many targets are solved by "
            f"{' or '.join(MANY_TARGET_SOLVERS)} only"
        )
    shared = problem.shared
    check_squares(solver, shared.matrix, 2)
    begin = perf_counter()
    starts, same = _starts(problem, x0)
    X = copied(starts)
    rows: list[dict[str, Any]] = []
    statuses: list[Status] = []
    iterations: list[Row] = []
    width = (options or ManyOptions()).columns(problem.n, problem.d)
    for block_number, first in enumerate(range(0, problem.m, width)):
        columns = slice(first, min(first + width, problem.m))
        ids = list(range(columns.start, columns.stop))
        run = _Run(problem, block_number, begin, eps, max_steps, time_limit)
        with np.errstate(all="ignore"):  # what leaves the range of doubles is looked for
            block = start_block(
                shared, np.array(ids), starts[:, columns].T, problem.targets(columns), same
            )
            run.solve(block, keep_factors=solver == MANY_TARGET_SOLVERS[0])
            for t in run.alone:
                run.finish_alone(t, starts[:, t])
        for t in ids:
            X[:, t], status, row = run.ended[t]
            statuses.append(status)
            rows.append(row)
        iterations += run.iterations
    return ManyResult(X, tuple(statuses), rows, iterations, perf_counter() - begin)


def _starts(problem: ManyTargets, x0: Any) -> tuple[Any, bool]:
    """Return the starts, shape (d, m), and whether they are all the same."""
    if x0 is None:
        return problem.start(), problem.same_start
    d, m = problem.d, problem.m
    start = given_array(problem.shared.matrix, "x0", x0, (d,), (d, m))
    if start.ndim == 2:
        return start, False
    xp = array_namespace(start)
    return xp.broadcast_to(start[:, None], (d, m)), True


class _Run:
    """One block's iterations, and how its targets ended."""

    def __init__(
        self, problem: ManyTargets, number: int, begin: float, eps: float, max_steps: int,
        time_limit: float | None,
    ) -> None:  # fmt: skip
        self.problem, self.number, self.begin = problem, number, begin
        self.eps, self.max_steps, self.time_limit = eps, max_steps, time_limit
        self.ended: dict[int, tuple[Any, Status, dict[str, Any]]] = {}
        self.alone: list[int] = []
        self.iterations: list[Row] = []

    def solve(self, block: Block, keep_factors: bool) -> None:
        """Step until every target has ended or has been set aside to be solved alone."""
        outside = np.flatnonzero(~np.isfinite(block.value))
        if len(outside):
            raise InputError(
                f"the start x0 of target {block.ids[outside[0]]} lies where the loss is undefined: "
                f"alpha = <u, 1> must be at least beta = {self.problem.shared.beta:.3g} and all "
                "values finite"
            )
        since = perf_counter()
        block = self._leave(block, np.zeros(len(block), dtype=bool))
        while len(block):
            start, active = perf_counter(), len(block)
            stuck, renewed = step_block(self.problem.shared, block, self.eps, keep_factors)
            block.seconds += (perf_counter() - start) / active
            estimate = block.estimate
            block = self._leave(block, stuck)
            self.iterations.append(
                {
                    "block": self.number,
                    "iteration": len(self.iterations) + 1,
                    "active": active,
                    "renewed": renewed,
                    "left": len(block),
                    "median_estimate": float(np.median(estimate)),
                    "max_estimate": float(np.max(estimate)),
                    "seconds": perf_counter() - since,
                }
            )

    def _leave(self, block: Block, stuck: Any) -> Block:
        """Note the targets that have ended, and return the others."""
        norms = block.norms()
        out_of_time = self.time_limit is not None and perf_counter() - self.begin >= self.time_limit
        claims = np.isfinite(norms) & ((block.estimate <= self.eps) | (norms == 0.0))
        confirmed = claims.copy()
        for i in np.flatnonzero(claims):
            confirmed[i] = self._is_minimiser(block, int(i))
        conditions = (
            (~np.isfinite(norms), Status.DIVERGED),
            (confirmed, Status.CONVERGED),
            (claims, None),
            (block.steps >= self.max_steps, Status.STEP_LIMIT),
            (np.full(len(block), out_of_time), Status.TIME_LIMIT),
            (stuck | (block.slow >= GIVE_UP), None),
        )
        going = np.ones(len(block), dtype=bool)
        for condition, status in conditions:
            for i in np.flatnonzero(going & condition):
                self._end(block, int(i), float(norms[i]), status)
            going &= ~condition
        return block if going.all() else block.take(going)

    def _is_minimiser(self, block: Block, i: int) -> bool:
        """Look at the gradient and the curvature where a target says that it has converged."""
        problem, factor = self.problem.one(int(block.ids[i])), block.factors[i]
        scale, ridged = problem.matrix.column_scale, bool(block.ridged[i])
        metric = None if factor is None or ridged else Projected(factor, None, scale)
        x = self._final(block, i)
        point = problem.at(x) if ridged else problem.at(x, block.z[i])
        found = examine(point, problem.at(block.x0[i]), self.eps, metric)
        return found.minimiser and not at_boundary(point, found.step)

    def _final(self, block: Block, i: int) -> Any:
        """Return a target's x; steps lie in the range of A^T, but for rounding over the ridge."""
        x = block.x[i]
        if not block.ridged[i]:
            return x
        return x - self._null @ (self._null.T @ (x - block.x0[i]))

    def _end(self, block: Block, i: int, norm: float, status: Status | None) -> None:
        t = int(block.ids[i])
        row = {
            "target": t,
            "status": "" if status is None else status.value,
            "steps": int(block.steps[i]),
            "passes": 2 + 2 * int(block.steps[i]),
            "relative_gradient": norm / block.gradient0[i] if block.gradient0[i] > 0 else 0.0,
            "estimate": float(block.estimate[i]),
            "seconds": float(block.seconds[i]),
            "alone": status is None,
        }
        self.ended[t] = self._final(block, i), status or Status.STALLED, row
        if status is None:
            self.alone.append(t)

    @cached_property
    def _null(self) -> Any:
        """An orthonormal basis of A's null space, shape (d, d - rank), empty if none is found."""
        matrix = self.problem.shared.matrix
        try:
            return null_basis(matrix)
        except np.linalg.LinAlgError:  # the Gram matrix leaves the range of A's dtype
            return matrix.asarray(np.zeros((self.problem.d, 0)))

    def finish_alone(self, t: int, x0: Any) -> None:
        """Solve one target by itself, from its start."""
        row = self.ended[t][2]
        left = None
        if self.time_limit is not None:
            left = max(1e-9, self.time_limit - (perf_counter() - self.begin))
        start = perf_counter()
        result = iterate(
            self.problem.one(t),
            ExactNewton(),
            x0,
            eps=self.eps,
            max_steps=self.max_steps,
            time_limit=left,
            seed=0,
            callback=None,
            log=None,
            reference=None,
        )
        last = result.rows[-1]
        row |= {
            "status": result.status.value,
            "steps": row["steps"] + result.steps,
            "passes": row["passes"] + last["passes"],
            "relative_gradient": last["relative_gradient"],
            "estimate": last["estimate"],
            "seconds": row["seconds"] + perf_counter() - start,
        }
        self.ended[t] = result.x, result.status, row
