"""Limits of a run: a larger one extends what had ended on it, and nothing else."""

from __future__ import annotations

from softres.harness.settings import Settings
from softres.solvers import Status
from softres.tracking import FinishedRun

__all__ = ["is_enough", "is_within"]


def is_enough(finished: FinishedRun, settings: Settings) -> bool:
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
