"""Whether a job is run or skipped: what a run does and what a dry run says are decided here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from softres.harness.extension import is_enough, is_within
from softres.harness.settings import Settings
from softres.tracking import FinishedRun

__all__ = ["JobPlan", "plan"]


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
    finished: FinishedRun | None = None


def plan(
    settings: Settings,
    finished: Sequence[FinishedRun],
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
