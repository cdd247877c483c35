"""The library's own solvers, called as a user calls them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from experiments.race.contestants.base import Contestant, Run
from experiments.race.recorder import Recorder
from experiments.race.task import Task
from softres.problems import SoftResidualRegression
from softres.problems.evaluation import Evaluation
from softres.solvers import SOLVERS, solve
from softres.solvers.result import Row

__all__ = ["CONTESTANTS", "ours"]

#: Below what the race asks for: the solver must not stop by its own estimate first.
EPS = 1e-12


def ours(solver: str) -> Contestant:
    """Return one of :data:`softres.solvers.SOLVERS` as a contestant."""
    prepare = partial(_prepare, solver=solver)
    return Contestant(solver, "ours", prepare, missing=partial(_missing, solver), solver=solver)


def _missing(solver: str) -> str:
    return "" if solver in SOLVERS else f"this version of softres has no solver {solver}"


def _prepare(task: Task, solver: str) -> Run:
    # Made anew for every run: what a problem or a matrix keeps from one solve to the next would
    # be a head start.
    problem = SoftResidualRegression(task.A, task.b, task.w2**0.5)

    def run(record: Recorder) -> None:
        def callback(row: Row, point: Evaluation) -> Mapping[str, float] | None:
            record(point.x, int(row["passes"]), int(row["grams"]))
            return None

        record.start()
        solve(problem, solver, task.x0, eps=EPS, max_steps=100_000, callback=callback)

    return run


CONTESTANTS = tuple(map(ours, ("preconditioned_newton", "exact_newton", "approx_newton")))
