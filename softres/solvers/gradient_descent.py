"""Gradient descent with the step 1/L."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import ClassVar

import numpy as np

from softres.common.arrays import norm, relative_norm
from softres.problems.evaluation import Evaluation
from softres.solvers.base import Solver, State, Tools, require
from softres.solvers.result import Status
from softres.solvers.steps.line_search import search

__all__ = ["GradientDescent", "largest_eigenvalue"]


def largest_eigenvalue(point: Evaluation, iterations: int, rng: np.random.Generator) -> float:
    """Estimate the largest |eigenvalue| of the Hessian by power iteration, two passes each."""
    matrix = point.problem.matrix
    q = matrix.asarray(rng.standard_normal(point.problem.d))
    value = 0.0
    for _ in range(iterations):
        q = point.hvp(q / norm(q))
        value = norm(q)
        if not 0.0 < value < inf:
            break
    return value


@dataclass(frozen=True)
class GradientDescent(Solver):
    """x+ = x - g / L, with L = |H(x0)| by power iteration and backtracking where that is too long.

    Attributes
    ----------
    power_iterations
        Iterations that estimate L at the start.
    growth
        Factor by which L is lowered after a step that needed no backtracking, so that the step
        can grow where the loss flattens; 1 keeps L.
    """

    name: ClassVar[str] = "gradient_descent"
    order: ClassVar[int] = 4
    max_steps: ClassVar[int] = 20000
    power_iterations: int = 30
    growth: float = 1.1

    def __post_init__(self) -> None:
        super().__post_init__()
        require(self.power_iterations >= 1, self, "power_iterations", "a whole number >= 1")
        require(1.0 <= self.growth <= 10.0, self, "growth", "1 to 10")

    def init(self, tools: Tools) -> State:
        """Estimate L at x0."""
        with tools.meter.phase("power_iteration"):
            lipschitz = largest_eigenvalue(tools.start, self.power_iterations, tools.rng)
        return State(tools.start, memory=max(lipschitz, 1e-300))

    def step(self, state: State, tools: Tools) -> State:
        """Search along the negative gradient from t = 1 / L."""
        lipschitz = float(state.memory)
        with tools.meter.phase("line_search"):
            accepted = search(state.point.along(-state.point.gradient), first=1.0 / lipschitz)
        if accepted is None:
            return State(state.point, state.estimate, {}, Status.STALLED)
        kept = accepted.trials == 1
        lipschitz = lipschitz / self.growth if kept else 1.0 / accepted.step_length
        relative = relative_norm(accepted.point.gradient_norm, tools.start.gradient_norm)
        info = {"step_length": accepted.step_length, "trials": accepted.trials}
        return State(accepted.point, relative, info, memory=lipschitz)
