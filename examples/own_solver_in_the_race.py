"""A solver of one's own beside the others, to a certified minimiser.

The solver is Nesterov's method with a fixed number for L / mu; the loop counts, times and stops
it like any other. As a file by itself it takes part in sweeps: `plugins=[FILE] solver=nesterov`.

python examples/own_solver_in_the_race.py FOLDER
"""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import matplotlib.pyplot as plt
import numpy as np

import softres
from softres.solvers import Solver, State, Tools


@dataclass(frozen=True)
class Nesterov(Solver):
    """x+ = y - g(y) / L, y+ = x+ + momentum (x+ - x).

    Attributes
    ----------
    ratio
        What L / mu is taken to be.
    margin
        L over the norm of the Hessian at the start: it grows on the way.
    """

    name: ClassVar[str] = "nesterov"
    max_steps: ClassVar[int] = 5000
    ratio: float = 400.0
    margin: float = 8.0

    def init(self, tools: Tools) -> State:
        """Estimate L from the Hessian at the start."""
        norm = np.linalg.norm(tools.start.problem.hessian(tools.start.x), 2)
        return State(tools.start, memory=(self.margin * float(norm), tools.start.x))

    def step(self, state: State, tools: Tools) -> State:
        """Take one step; the state is y, its memory L and x."""
        del tools
        (L, x), y = state.memory, state.point
        root: Any = np.sqrt(self.ratio)
        after = y.x - y.gradient / L
        ahead = after + (root - 1) / (root + 1) * (after - x)
        return State(y.problem.at(ahead), memory=(L, after))


def main(out: Path) -> None:
    """Solve one instance by each, and draw the error over passes."""
    rng = np.random.default_rng(3)
    A = rng.standard_normal((3000, 20)) * np.logspace(0, -1, 20)
    b = np.exp(A @ rng.standard_normal(20) + 0.5 * rng.standard_normal(3000))
    problem = softres.SoftResidualRegression(A, b / b.sum(), w=1e-4)
    reference = softres.certify(problem)
    assert reference.certificate.certified
    figure, axes = plt.subplots(figsize=(5, 3), layout="constrained")
    for solver in (Nesterov(), "gradient_descent", "scipy_lbfgs", "preconditioned_newton"):
        result = softres.solve(problem, solver, reference=reference, eps=1e-8, max_steps=2000)
        name = solver if isinstance(solver, str) else solver.name
        print(f"{name}: {result}, {result.trace['passes'].iloc[-1]:.0f} passes")
        axes.plot(result.trace["passes"], result.trace["relative_error_H"], label=name)
    axes.set(xlabel="passes over A", ylabel="relative error, H-norm", xscale="log", yscale="log")
    axes.legend()
    figure.savefig(out / "own_solver_in_the_race.png", dpi=100)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
