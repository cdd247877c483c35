"""Whether a job is run or skipped: what a run does and what a dry run says are decided here.

A limit that is larger than a run's extends what had ended on it, and nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from softres.harness.settings import Settings
from softres.solvers import Status
from softres.tracking import StoredRun

__all__ = ["JobPlan", "is_enough", "is_within", "plan"]


@dataclass(frozen=True)
class JobPlan:
    """What becomes of a job.

    Attributes
    ----------
    runs
        Whether it is run.
    words
        Why, as a dry run says it.
    finished
        The run that makes another one needless, where the store has it.
    """

    runs: bool
    words: str
    finished: StoredRun | None = None


def plan(
    settings: Settings,
    finished: Sequence[StoredRun],
    earlier: Sequence[tuple[int, Settings]] = (),
) -> JobPlan:
    """Decide what becomes of a job.

    Parameters
    ----------
    settings
        The job.
    finished
        The finished runs of its key, the latest first.
    earlier
        Number and settings of the jobs of its key that will have finished before it begins, and
        that its store will then have.
    """
    if settings.force:
        return JobPlan(True, "run again" if finished else "run")
    for run in finished:
        if is_enough(run, settings):
            return JobPlan(False, f"skip, run {run.run_id[:8]}", run)
    for number, job in earlier:
        if is_within(settings, job):
            return JobPlan(False, f"skip, same as job {number + 1}")
    return JobPlan(True, "run to a larger limit" if finished or earlier else "run")


def is_enough(finished: StoredRun, settings: Settings) -> bool:
    """Whether a finished run need not be extended: it stopped by itself, or had as long a limit."""
    status = finished.tags.get("status", "")
    if status == Status.STEP_LIMIT.value:
        return int(finished.tags.get("max_steps", "0")) >= settings.max_steps
    if status == Status.TIME_LIMIT.value:
        limit = finished.tags.get("time_limit", "None")
        return _as_long(settings.time_limit, None if limit == "None" else float(limit))
    return True


def is_within(settings: Settings, other: Settings) -> bool:
    """Whether another job of the same key, however it ends, leaves a job nothing to do."""
    steps = settings.max_steps <= other.max_steps
    return steps and _as_long(settings.time_limit, other.time_limit)


def _as_long(wanted: float | None, had: float | None) -> bool:
    return had is None or (wanted is not None and had >= wanted)
