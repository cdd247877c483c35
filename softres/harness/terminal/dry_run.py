"""What a command would run, without running it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta

from rich.table import Table

from softres.harness.keys.identity import job_key, run_name
from softres.harness.plan import plan
from softres.harness.probe import Probe
from softres.harness.resources.estimates import estimate
from softres.harness.settings import Settings
from softres.harness.terminal.console import cell, rule, show_line, show_table
from softres.tracking import Store, StoredRun, TrackingOptions, open_store
from softres.tracking.protocol import NullBackend

__all__ = ["show_plan"]

Planned = tuple[Settings, Sequence[str], Probe | None]


def show_plan(jobs: Sequence[Planned]) -> None:
    """Print a table of the jobs: which are finished, and what the others will take.

    Of jobs that are the same, those after the first are skipped, as they will be once it has run.
    """
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 1))
    table.add_column("job", justify="right")
    table.add_column("run", overflow="fold")
    table.add_column("plan", overflow="fold")
    for heading in ("seconds", "GiB"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("estimated from", overflow="fold")
    stores: dict[object, tuple[Store, list[StoredRun]]] = {}
    planned: defaultdict[object, list[tuple[int, Settings]]] = defaultdict(list)
    total, most, count = 0.0, 0.0, 0
    for number, (settings, overrides, probe) in enumerate(jobs):
        place = settings.tracking.place, settings.tracking.enabled
        if place not in stores:
            store = _store(settings.tracking)
            stores[place] = store, store.finished_runs(all_of_a_key=True)
        store, known = stores[place]
        name, key = cell(run_name(settings, overrides)), job_key(settings, probe)
        same = planned[place, key]
        found = plan(settings, store.find_finished(key), same)
        if not found.runs:
            table.add_row(str(number + 1), name, f"[dim]{found.words}[/]", "", "", "")
            continue
        if settings.tracking.enabled:  # what is not recorded is not found again
            same.append((number, settings))
        taken = estimate(settings, known)
        table.add_row(
            str(number + 1),
            name,
            found.words,
            f"{taken.seconds:.2g}",
            f"{taken.gib:.2g}",
            taken.source,
        )
        total, most, count = total + taken.seconds, max(most, taken.gib), count + 1
    rule("dry run")
    show_table(table)
    show_line(
        f"{count} of {len(jobs)} jobs would run, in about "
        f"{timedelta(seconds=round(total))} one after the other and {most:.2g} GiB beside the "
        "program's own; nothing was run"
    )


def _store(options: TrackingOptions) -> Store:
    file = options.database
    if file is not None and not file.exists():
        return Store(options, NullBackend())  # a plan leaves nothing behind, no empty store either
    return open_store(options)
