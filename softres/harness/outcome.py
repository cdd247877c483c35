"""How each job of a command ended, kept as a small file beside the job's other output.

Files work under every launcher: jobs may run in other processes, or on other machines that share
the folder.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

__all__ = ["OBJECTIVES", "JobOutcome", "forget_outcomes", "read_outcomes", "write_outcome"]

FILE = "outcome.json"
#: What a sweeper may minimise.
OBJECTIVES = ("error", "seconds", "steps", "passes")


@dataclass(frozen=True)
class JobOutcome:
    """The end of one job.

    Attributes
    ----------
    job
        Its number in the sweep; 0 for a single run.
    name
        The run's name.
    status
        In words; ``"failed"`` if an error ended the job, ``"skipped"`` if it was finished before.
    steps, predicted
        Steps taken; and T by the theorem's logarithm, where its assumptions hold.
    solve_seconds, passes
        Solver seconds and passes over A.
    seconds
        Of the whole job; ``None`` where it was skipped.
    error
        Final |x - x*| over |x0 - x*|.
    ended
        How the run ended that a skipped job is.
    note
        The error's one line, or the run that a skipped job is.
    experiment_id, sweep
        Where MLflow has it; empty without tracking.
    uri, folder, experiment
        Address of the store, folder of tracking and name of the experiment.
    solver
        The solver's name.
    instance
        What was solved, and to which accuracy: the same for solvers that can be compared.
    timed
        Whether it had the machine to itself, so that its seconds can be compared.
    command
        Runs the job alone and again.
    ok
        Whether the job counts as done.
    """

    job: int
    name: str
    status: str
    steps: int | None = None
    predicted: int | None = None
    solve_seconds: float | None = None
    passes: float | None = None
    seconds: float | None = None
    error: float | None = None
    ended: str = ""
    note: str = ""
    experiment_id: str = ""
    sweep: str = ""
    uri: str = ""
    folder: str = ""
    experiment: str = ""
    solver: str = ""
    instance: str = ""
    timed: bool = True
    command: str = ""
    ok: bool = True

    def objective(self, name: str) -> float:
        """Return what a sweeper minimises, a figure of :data:`OBJECTIVES`; infinite without one."""
        value = {
            "error": self.error,
            "seconds": self.solve_seconds,
            "steps": self.steps,
            "passes": self.passes,
        }[name]
        return float("inf") if value is None else float(value)


def write_outcome(folder: Path, outcome: JobOutcome) -> None:
    """Write the outcome into a job's output folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FILE).write_text(json.dumps(asdict(outcome)), encoding="utf-8")


def forget_outcomes(folder: Path) -> None:
    """Remove what an older command left in the output folder of one that begins."""
    for path in folder.rglob(FILE):
        path.unlink(missing_ok=True)


def read_outcomes(folder: Path) -> list[JobOutcome]:
    """Return the outcomes below a command's output folder, in the order of the jobs."""
    found = [JobOutcome(**json.loads(path.read_text("utf-8"))) for path in folder.rglob(FILE)]
    return sorted(found, key=lambda outcome: outcome.job)
