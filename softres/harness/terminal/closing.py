"""The end of a command: a table of its jobs, and how to look at them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

from softres.common.program import shown_command
from softres.harness.outcome import JobOutcome, read_outcomes
from softres.harness.terminal.console import console, error_text, show_line
from softres.tracking import TrackingOptions, charts_link, open_store, ui_command
from softres.tracking.durable.spool import Spool

__all__ = ["close_command"]

#: Swept keys that tell repetitions of one thing apart; charts average over them.
REPETITIONS = ("seed",)


def close_command(folder: str, tracking: Mapping[str, Any], overrides: Sequence[str]) -> bool:
    """Print the closing table and the links of a command.

    Parameters
    ----------
    folder
        The command's output folder.
    tracking
        The tracking options.
    overrides
        The command line's overrides, to group the charts by what was swept.

    Returns
    -------
    Whether every job was done.
    """
    outcomes = read_outcomes(Path(folder))
    if not outcomes:
        return True  # nothing began: the error that is under way says why
    _table(outcomes)
    for outcome in outcomes:
        if outcome.status == "failed":
            show_line(f"job {outcome.job} failed: {outcome.note}", style="red")
    options, swept = TrackingOptions(**tracking), _swept(overrides)
    sweeps: defaultdict[tuple[str, str, str], set[str]] = defaultdict(set)
    for outcome in outcomes:
        if outcome.experiment_id:
            sweeps[outcome.uri, outcome.folder, outcome.experiment].add(outcome.sweep)
    if not sweeps and options.enabled and Spool.of(options).runs():
        sweeps[options.place] = set()
    for (uri, where, experiment), names in sweeps.items():
        sweep = names.pop() if len(names) == 1 else None
        place = replace(options, enabled=True, uri=uri, folder=where, experiment=experiment)
        _links(replace(place, sweep=sweep), swept)
    return all(outcome.ok for outcome in outcomes)


def _table(outcomes: Sequence[JobOutcome]) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 1))
    table.add_column("job", justify="right")
    table.add_column("run", overflow="fold")
    table.add_column("status", overflow="fold")
    for heading in ("steps", "T", "s/step", "error"):
        table.add_column(heading, justify="right", no_wrap=True)
    for outcome in outcomes:
        status = outcome.status.split(" (")[0]
        if outcome.status == "skipped":
            status = f"skipped, {outcome.note}"
        colour = {"converged": "green", "measured": "green", "failed": "red"}.get(status, "yellow")
        table.add_row(
            str(outcome.job),
            Text(outcome.name),
            Text(status, style=colour),
            _text(outcome.steps, "d"),
            _text(outcome.predicted, "d"),
            _text(outcome.seconds_per_step, ".2g"),
            error_text(outcome.error),
        )
    console.rule("jobs", style="dim")
    console.print(table)
    console.print(
        "[dim]T: the theorem's ln(1/eps) / ln(2.5) steps;  error: |x - x*| / |x0 - x*|[/]"
    )


def _text(value: float | None, form: str) -> str:
    return "" if value is None else format(value, form)


def _swept(overrides: Sequence[str]) -> list[str]:
    """Return the keys that the command line gave several values, repetitions left out."""
    several = (",", "range(", "glob(")
    swept = [text for text in overrides if any(mark in text for mark in several)]
    keys = [text.split("=", 1)[0].lstrip("+~") for text in swept]
    return [key for key in keys if key not in REPETITIONS]


def _links(options: TrackingOptions, swept: list[str]) -> None:
    groups = ["solver", *(key for key in swept if key != "solver")]
    store = open_store(options, patient=True)
    store.save_charts(group_by=groups)
    if count := store.waiting_runs():
        show_line(
            f"{count} runs wait in {options.folder}/spool: the next run or {shown_command('sync')} "
            "delivers them",
            style="yellow",
        )
    console.rule("look at the runs", style="dim")
    command = ui_command(options)
    if command:
        show_line(command)
    if store.experiment_id:
        show_line(charts_link(options, store.experiment_id, options.sweep))
