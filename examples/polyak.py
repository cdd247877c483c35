"""A solver in one file: gradient descent with Polyak's step (1987).

python run.py -m plugins=[examples/polyak.py] solver=polyak,gradient_descent problem=softmax
"""

from dataclasses import dataclass
from typing import ClassVar

from softres.solvers import Solver, State, Tools


@dataclass(frozen=True)
class Polyak(Solver):
    """x+ = x - (L(x) - least) / |g|^2 g.

    Attributes
    ----------
    least
        L(x*). Where it is too low, the steps never become short.
    """

    name: ClassVar[str] = "polyak"
    max_steps: ClassVar[int] = 5000
    least: float = 0.0

    def init(self, tools: Tools) -> State:
        """Return the start."""
        return State(tools.start)

    def step(self, state: State, tools: Tools) -> State:
        """Take one step."""
        point, g = state.point, state.point.gradient
        t = (point.value - self.least) / float(g @ g)
        return State(point.problem.at(point.x - t * g), info={"step_length": t})
