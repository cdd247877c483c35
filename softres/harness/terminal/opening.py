"""The beginning of a command, what it changes of the defaults, and that of each of its jobs."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

from softres.harness.terminal.console import console, duration, show_heading, show_line
from softres.harness.terminal.progress import jobs_of_sweep, seconds_left

if TYPE_CHECKING:
    from softres.harness.job import JobContext
    from softres.harness.settings import Settings

__all__ = ["show_job", "show_start"]

#: Lines that the changes may take.
LINES = 2


def show_start(changed: Sequence[str], jobs: int) -> None:
    """Print how many jobs a command has and what it changes of the defaults, in short.

    Parameters
    ----------
    changed
        As typed, ``KEY=VALUE``.
    jobs
        How many it runs.
    """
    count = "1 job" if jobs == 1 else f"{jobs} jobs"
    words = " ".join(changed) or "all as by default"
    text = f"{count}: {words} (--cfg job shows the rest)"
    if console.is_terminal:
        text = "\n".join(
            textwrap.wrap(
                text,
                console.width,
                max_lines=LINES,
                placeholder=" ...",
                break_on_hyphens=False,
                subsequent_indent="  ",
            )
        )
    for line in text.splitlines():
        show_line(line, style="dim")


def show_job(settings: Settings, context: JobContext, name: str) -> None:
    """Print which job begins, of how many, and how long those that are left may take."""
    chosen = settings.tracking.from_environment if settings.tracking.enabled else ""
    if context.number == 0 and chosen:
        show_line(f"from the environment: {chosen}")
    if context.single:
        show_heading(name)
        return
    place, left, jobs = f"job {context.number + 1}", "", jobs_of_sweep(context.folder.parent)
    if jobs is not None:
        seconds = seconds_left(context.folder.parent, context.number, jobs, context.workers)
        left = "" if seconds is None else f", about {duration(seconds)} left"
        place = f"{place} of {jobs}"
    show_heading(f"{place}{left}: {name}")
