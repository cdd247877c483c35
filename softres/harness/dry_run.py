"""What a command would run, without running it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from rich.table import Table
from rich.text import Text

from softres.config.settings import Settings
from softres.harness.console import console, show_line
from softres.harness.estimates import estimate
from softres.harness.identity import job_key, run_name
from softres.harness.limits import is_enough
from softres.harness.probe import Probe
from softres.tracking import FinishedRun, TrackingOptions, open_store

__all__ = ["show_plan"]

Planned = tuple[Settings, Sequence[str], Probe | None]


def show_plan(jobs: Sequence[Planned]) -> None:
    """Print a table of the jobs: which are finished, and what the others will take."""
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 1))
    table.add_column("job", justify="right")
    table.add_column("run", overflow="fold")
    table.add_column("plan", overflow="fold")
    for heading in ("seconds", "GiB"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("estimated from", overflow="fold")
    known: dict[str, list[FinishedRun]] = {}
    total, most, count = 0.0, 0.0, 0
    for number, (settings, overrides, probe) in enumerate(jobs):
        place = f"{settings.tracking.absolute_uri} {settings.tracking.experiment}"
        if place not in known:
            known[place] = _finished(settings.tracking)
        name, key = Text(run_name(settings, overrides)), job_key(settings, probe)
        same = [run for run in known[place] if run.tags.get("key") == key]
        done = next((run for run in same if is_enough(run, settings)), None)
        if done is not None and not settings.force:
            table.add_row(str(number), name, f"[dim]skip, run {done.run_id[:8]}[/]", "", "", "")
            continue
        taken = estimate(settings, known[place])
        plan = "run" if not same else "run again" if settings.force else "run to a larger limit"
        table.add_row(
            str(number), name, plan, f"{taken.seconds:.2g}", f"{taken.gib:.2g}", taken.source
        )
        total, most, count = total + taken.seconds, max(most, taken.gib), count + 1
    console.rule("dry run", style="dim")
    console.print(table)
    show_line(
        f"{count} of {len(jobs)} jobs would run, in about "
        f"{timedelta(seconds=round(total))} one after the other and {most:.2g} GiB beside the "
        "program's own; nothing was run"
    )


def _finished(options: TrackingOptions) -> list[FinishedRun]:
    file = options.database
    if not options.enabled or (file is not None and not file.exists()):
        return []  # a plan leaves nothing behind, no empty store either
    return open_store(options).finished_runs(all_of_a_key=True)
