"""Limits of a run: a larger one extends what had ended on it, and nothing else."""

from __future__ import annotations

from softres.config.settings import Settings
from softres.solvers import Status
from softres.tracking import FinishedRun

__all__ = ["is_enough"]


def is_enough(finished: FinishedRun, settings: Settings) -> bool:
    """Whether a finished run need not be extended: it stopped by itself, or had as long a limit."""
    status = finished.tags.get("status", "")
    if status not in (Status.STEP_LIMIT.value, Status.TIME_LIMIT.value):
        return True
    had_steps = int(finished.tags.get("max_steps", "0")) >= settings.max_steps
    limit = finished.tags.get("time_limit", "None")
    unlimited = limit == "None"
    wanted = settings.time_limit
    had_time = unlimited or (wanted is not None and float(limit) >= wanted)
    return had_steps if status == Status.STEP_LIMIT.value else had_time
