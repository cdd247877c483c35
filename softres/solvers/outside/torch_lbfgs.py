"""torch's L-BFGS as a solver: the outside baseline of those who work in torch."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import Any, ClassVar

from softres.common.arrays import relative_norm
from softres.solvers.base import Solver, State, Tools, require
from softres.solvers.result import Status

__all__ = ["TorchLBFGS"]


@dataclass(frozen=True)
class TorchLBFGS(Solver):
    """``torch.optim.LBFGS`` with a strong Wolfe line search, one iteration a step.

    Attributes
    ----------
    history
        Pairs kept.
    """

    name: ClassVar[str] = "torch_lbfgs"
    max_steps: ClassVar[int] = 5000
    backends: ClassVar[tuple[str, ...]] = ("torch",)
    history: int = 20

    def __post_init__(self) -> None:
        super().__post_init__()
        require(self.history >= 1, self, "history", "a whole number >= 1")

    def init(self, tools: Tools) -> State:
        """Make the optimiser, which keeps its pairs from step to step."""
        import torch

        x = tools.start.x.clone().requires_grad_(True)
        optimiser = torch.optim.LBFGS(
            [x],
            lr=1.0,
            max_iter=1,
            max_eval=100,
            tolerance_grad=0.0,
            tolerance_change=0.0,
            history_size=self.history,
            line_search_fn="strong_wolfe",
        )
        return State(tools.start, memory=(optimiser, x))

    def step(self, state: State, tools: Tools) -> State:
        """One iteration of torch's L-BFGS on the loss scaled to one at x0."""
        import torch

        optimiser, x = state.memory
        start = tools.start
        scale = 1.0 / start.value if start.value > 0 else 1.0
        last: Any = state.point

        def closure() -> Any:
            nonlocal last
            at = x.detach()
            if not torch.equal(last.x, at):
                last = start.problem.at(at.clone())
            x.grad = scale * last.gradient
            return torch.as_tensor(
                scale * last.value if last.inside else float("inf"), dtype=x.dtype
            )

        optimiser.step(closure)
        closure()  # the line search may have ended on another point than it last tried
        moved = not torch.equal(last.x, state.point.x)
        if not moved or not isfinite(last.value):
            return State(state.point, state.estimate, {}, Status.STALLED, state.memory)
        relative = relative_norm(last.gradient_norm, start.gradient_norm)
        return State(last, relative, {}, memory=state.memory)
