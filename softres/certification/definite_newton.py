"""Newton's method on exact Hessians with Cholesky factors alone: how large minimisers are found."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from softres.common.arrays import dual_norm
from softres.linalg.definite import DefiniteFactor, definite
from softres.problems.evaluation import Evaluation
from softres.solvers.base import Solver, State, Tools
from softres.solvers.result import Status
from softres.solvers.steps.line_search import minimise_along
from softres.solvers.steps.newton import estimated_error

__all__ = ["DefiniteNewton"]

#: Shares of the Hessian's residual part that are tried, from all of it to none.
RESIDUAL_SHARES = (1.0, 0.75, 0.5, 0.25, 0.0)


@dataclass(frozen=True)
class DefiniteNewton(Solver):
    """x+ = x - t M^-1 g with M = G + s (H - G), G the Gauss-Newton matrix and s as large as can be.

    Every M is formed exactly, so that the iterates depend neither on the machine's rates, as those
    of ``preconditioned_newton`` do, nor on a row's drift; and no eigendecomposition is needed, as
    in ``exact_newton``. G is semidefinite and H is nearly so on the way down: some s will do. A
    saddle it cannot leave.

    Attributes
    ----------
    null
        Orthonormal basis of A's null space, shape (d, k), on the host.
    """

    name: ClassVar[str] = "definite_newton"
    backends: ClassVar[tuple[str, ...]] = ("numpy",)
    null: Any = None

    def init(self, tools: Tools) -> State:
        """Start at x0 with all of the Hessian."""
        return State(tools.start)

    def step(self, state: State, tools: Tools) -> State:
        """Form, factor, and minimise along the direction."""
        point = state.point
        info: dict[str, float] = {}
        factor = self._factor(point, tools, info)
        if factor is None:
            return replace(state, info=info, status=Status.LINEAR_SOLVE_FAILED)
        with tools.meter.phase("line_search"):
            found = minimise_along(point.along(-factor.solve(point.gradient)))
        if found is None:
            # No descent can be seen along a Newton direction: the floor of the arithmetic.
            return replace(state, info=info, status=Status.STALLED)
        info |= {"step_length": found.step_length, "trials": found.trials}
        gradient = found.point.gradient
        left = dual_norm(gradient, factor.solve(gradient))
        return State(found.point, estimated_error(left, found.point, factor.matrix, tools), info)

    def _factor(
        self, point: Evaluation, tools: Tools, info: dict[str, float]
    ) -> DefiniteFactor | None:
        with tools.meter.phase("hessian"):
            H = point.hessian()
        null = np.zeros((len(H), 0)) if self.null is None else self.null
        G: Any = None
        for share in RESIDUAL_SHARES:
            if share < 1.0 and G is None:
                with tools.meter.phase("hessian"):
                    G = point.gauss_newton.hessian(point.problem.matrix)
            with tools.meter.phase("factor"):
                factor = definite(H if G is None else G + share * (H - G), null)
            if factor is not None:
                info["share"] = share
                return factor
        return None
