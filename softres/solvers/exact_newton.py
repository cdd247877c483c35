"""Newton's method with the exact Hessian (Definition A.6), safeguarded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from softres.linalg.free_memory import check_squares
from softres.problems import Problem, ResNetRegression, SoftmaxRegression
from softres.solvers.base import Solver, State, Tools
from softres.solvers.steps.newton import newton_step

__all__ = ["ExactNewton", "ResNetNewton", "SoftmaxNewton"]


@dataclass(frozen=True)
class ExactNewton(Solver):
    """x+ = x - t H^-1 g with the exact Hessian.

    H is factored by Cholesky, and a line search finds the least loss along the direction, to a
    tenth of the slope. Where H is indefinite the step is Gauss-Newton's with the same line search,
    or a trust region's in the Gauss-Newton norm where that leads to a lower loss. Near a minimiser
    both safeguards are idle and the method is Newton's, with t = 1.
    """

    name: ClassVar[str] = "exact_newton"
    order: ClassVar[int] = 2
    resumes: ClassVar[bool] = True

    def init(self, tools: Tools) -> State:
        """Start at x0."""
        check_squares(self.name, tools.start.problem.matrix, 2)
        tools.start.differentiate()
        return State(tools.start)

    def step(self, state: State, tools: Tools) -> State:
        """Form the Hessian, factor it, and search along the direction."""
        with tools.meter.phase("hessian"):
            H = state.point.hessian()
        point, matrix = state.point, state.point.problem.matrix
        return newton_step(
            state,
            tools,
            H,
            lambda: point.gauss_newton.hessian(matrix),
            {},
            curvature=point.curvature,
        )


@dataclass(frozen=True)
class SoftmaxNewton(ExactNewton):
    """Exact Newton on plain softmax regression over the same A, b and w."""

    name: ClassVar[str] = "softmax_regression"
    order: ClassVar[int] = 5
    problem: ClassVar[str | None] = "softmax"

    def prepare(self, problem: Problem) -> Problem:
        """Return softmax regression over the problem's A, b and w."""
        if problem.name == self.problem:
            return problem
        problem.require_diagonal(f"solver={self.name}")
        return SoftmaxRegression(problem.matrix, problem.b, problem.w)


@dataclass(frozen=True)
class ResNetNewton(ExactNewton):
    """Exact Newton on plain ResNet-style regression over the same A, b and w."""

    name: ClassVar[str] = "resnet_regression"
    order: ClassVar[int] = 6
    problem: ClassVar[str | None] = "resnet"

    def prepare(self, problem: Problem) -> Problem:
        """Return ResNet-style regression (branch exp) over the problem's A, b and w."""
        if problem.name == self.problem:
            return problem
        problem.require_diagonal(f"solver={self.name}")
        return ResNetRegression(problem.matrix, problem.b, problem.w)
