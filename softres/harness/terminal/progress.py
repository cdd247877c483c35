"""How far a sweep has come: how many jobs it has, and how long those that are left may take.

Files, as the outcomes are: jobs may run in other processes, or on other machines.
"""

from __future__ import annotations

import json
from pathlib import Path
from statistics import fmean

from softres.harness.outcome import FILE, JobOutcome, forget_outcomes

__all__ = ["count_done", "jobs_of_sweep", "seconds_left", "write_sweep"]

SWEEP = "sweep.json"
#: The last jobs that tell how long one takes.
LAST = 30


def write_sweep(folder: Path, jobs: int) -> None:
    """Keep in a sweep's output folder how many jobs it has; no outcome is there yet."""
    folder.mkdir(parents=True, exist_ok=True)
    forget_outcomes(folder)
    (folder / SWEEP).write_text(json.dumps({"jobs": jobs}), encoding="utf-8")


def jobs_of_sweep(folder: Path) -> int | None:
    """Return how many jobs a sweep has, ``None`` where nobody knows."""
    try:
        return int(json.loads((folder / SWEEP).read_text("utf-8"))["jobs"])
    except (OSError, ValueError, KeyError):
        return None


def count_done(folder: Path) -> int:
    """Return how many jobs below a sweep's output folder have ended."""
    return sum(1 for _ in folder.glob(f"*/{FILE}"))


def seconds_left(folder: Path, number: int, jobs: int, workers: int) -> float | None:
    """Return the seconds that a job and those after it may take, ``None`` before any has ended.

    Each is taken to last as long as the mean of the last ones that ran; those that were skipped
    tell nothing.

    Parameters
    ----------
    folder
        The sweep's output folder.
    number
        The job that begins; the first is 0.
    jobs
        How many the sweep has.
    workers
        Jobs that run at once.
    """
    taken = []
    for earlier in range(max(0, number - LAST), number):
        try:
            text = (folder / str(earlier) / FILE).read_text("utf-8")
        except OSError:
            continue  # still under way, or elsewhere
        outcome = JobOutcome(**json.loads(text))
        if outcome.seconds is not None:
            taken.append(outcome.seconds)
    return fmean(taken) * (jobs - number) / workers if taken else None
