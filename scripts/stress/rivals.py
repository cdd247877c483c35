"""What the other tools run in ``throughput.py``: Newton by hand on instances from files.

Each of their jobs reads ``seed.npz`` with A, b and w, solves and writes x to ``seed.npy``. The
tools are no dependency: they live in an environment of their own.
"""

from __future__ import annotations

from pathlib import Path

__all__ = ["write_benchopt", "write_hydraflow"]

NEWTON = '''
import numpy as np


def newton(A, b, w, steps=12):
    """Minimise 1/2 |f(x) - b|^2 + 1/2 |diag(w) A x|^2, f = u / <u, 1>, u = exp(Ax) + Ax."""
    x = np.zeros(A.shape[1])
    for _ in range(steps):
        z = A @ x
        e = np.exp(z)
        u = e + z
        s = u.sum()
        f, p = u / s, (e + 1) / s
        r = f - b
        c, m = r @ f, f @ (f + r)
        gradient = A.T @ (p * (r - c) + w * w * z)
        diagonal = e / s * (r - c) + p * p + w * w
        k = A.T @ p
        hessian = A.T @ (diagonal[:, None] * A)
        hessian -= np.outer(A.T @ (p * (f + r - c)), k) + np.outer(k, A.T @ (p * (f + r - m)))
        step = np.linalg.solve(hessian, gradient)
        x = x - step
        if np.linalg.norm(step) <= 1e-12 * (1 + np.linalg.norm(x)):
            break
    return x
'''
OBJECTIVE = """
from benchopt import BaseObjective
import numpy as np


class Objective(BaseObjective):
    name = "soft-residual"
    min_benchopt_version = "1.6"

    def set_data(self, A, b, w, seed):
        self.A, self.b, self.w, self.seed = A, b, w, seed

    def get_objective(self):
        return dict(A=self.A, b=self.b, w=self.w, seed=self.seed)

    def get_one_result(self):
        return dict(x=np.zeros(self.A.shape[1]))

    def evaluate_result(self, x):
        z = self.A @ x
        u = np.exp(z) + z
        r = u / u.sum() - self.b
        return dict(value=0.5 * (r @ r + ((self.w * z) ** 2).sum()))
"""
DATASET = """
from benchopt import BaseDataset
import numpy as np


class Dataset(BaseDataset):
    name = "instances"
    parameters = {{"seed": list(range({jobs}))}}

    def get_data(self):
        kept = np.load({folder!r} + f"/{{self.seed}}.npz")
        return dict(A=kept["A"], b=kept["b"], w=kept["w"], seed=self.seed)
"""
SOLVER = """
from benchopt import BaseSolver
import numpy as np
{newton}

class Solver(BaseSolver):
    name = "newton"
    sampling_strategy = "run_once"

    def set_objective(self, A, b, w, seed):
        self.given, self.seed = (A, b, w), seed

    def run(self, _):
        self.x = newton(*self.given)
        np.save({folder!r} + f"/{{self.seed}}.npy", self.x)

    def get_result(self):
        return dict(x=self.x)
"""
APP = """
from dataclasses import dataclass

import hydraflow
import mlflow
import numpy as np
{newton}

@dataclass
class Config:
    seed: int = 0


@hydraflow.main(Config)
def app(run, cfg):
    kept = np.load({folder!r} + f"/{{cfg.seed}}.npz")
    x = newton(kept["A"], kept["b"], kept["w"])
    np.save({folder!r} + f"/{{cfg.seed}}.npy", x)
    mlflow.log_metric("norm", float(np.linalg.norm(x)))


if __name__ == "__main__":
    app()
"""


def write_benchopt(folder: Path, instances: Path, jobs: int) -> list[str]:
    """Write a benchmark for benchopt; return the words after the interpreter that run it."""
    for part in ("datasets", "solvers"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    (folder / "objective.py").write_text(OBJECTIVE, encoding="utf-8")
    dataset = DATASET.format(jobs=jobs, folder=str(instances))
    (folder / "datasets" / "instances.py").write_text(dataset, encoding="utf-8")
    solver = SOLVER.format(newton=NEWTON, folder=str(instances))
    (folder / "solvers" / "newton.py").write_text(solver, encoding="utf-8")
    return ["-m", "benchopt", "run", str(folder), "-s", "newton", "--no-plot", "--no-html"]


def write_hydraflow(folder: Path, instances: Path, jobs: int) -> list[str]:
    """Write an application of hydraflow; return the words after the interpreter that run it."""
    folder.mkdir(parents=True, exist_ok=True)
    app = APP.format(newton=NEWTON, folder=str(instances))
    (folder / "app.py").write_text(app, encoding="utf-8")
    return [str(folder / "app.py"), "-m", f"seed=range({jobs})"]
