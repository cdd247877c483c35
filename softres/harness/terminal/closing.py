"""The end of a command: its jobs, its solvers, and what to type next."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.table import Table

from softres.common.program import shown_command
from softres.common.text import typed
from softres.harness.outcome import JobOutcome, read_outcomes
from softres.harness.terminal.by_solver import is_solved, show_solvers
from softres.harness.terminal.console import (
    cell,
    columns_of,
    console,
    error_text,
    rule,
    show_heading,
    show_line,
    show_table,
)
from softres.harness.terminal.figures import show_figures
from softres.harness.terminal.links import places_of, show_links
from softres.harness.terminal.progress import jobs_of_sweep
from softres.tracking import TrackingOptions
from softres.tracking.store import lost_stores

__all__ = ["close_command"]

#: Jobs of which each has a row; of more, only those that did not get there.
MOST = 20
#: Sweeps that one command to draw them names at most.
SWEEPS = 3


def close_command(
    folder: str, tracking: Mapping[str, Any], overrides: Sequence[str], *, figures: bool = False
) -> bool:
    """Print the closing table and the links of a command.

    Parameters
    ----------
    folder
        The command's output folder.
    tracking
        The tracking options.
    overrides
        The command line's overrides, to group the charts by what was swept.
    figures
        Whether to draw the sweep and its runs.

    Returns
    -------
    Whether every job was done.
    """
    outcomes = read_outcomes(Path(folder))
    jobs = jobs_of_sweep(Path(folder))
    if not outcomes:
        return not jobs  # nothing began: the error that is under way says why
    _table(outcomes)
    _failures(outcomes)
    if len(outcomes) > 1:
        show_solvers(outcomes)
    places = places_of(outcomes, TrackingOptions(**tracking))
    for number, (place, names) in enumerate(places, 1):
        sweep = names[0] if len(names) == 1 else None
        command = _figures(place, names) if len(outcomes) > 1 else ""
        rule("look at the runs")
        if figures and sweep is not None and any(one.steps is not None for one in outcomes):
            out = Path(folder) if len(places) == 1 else Path(folder) / f"store_{number}"
            show_figures(place, sweep, out, ran=any(map(_has_run, outcomes)))
        show_links(replace(place, sweep=sweep), outcomes, Path(folder), overrides, command)
    lost = lost_stores()
    for database in lost:
        show_line(
            f"{database} was deleted or replaced while the command ran: what it held is gone, and "
            "the same command runs it again",
            style="red",
        )
    if missing := 0 if jobs is None else jobs - len(outcomes):
        show_line(f"{missing} of {jobs} jobs left no outcome", style="red")
    return not lost and missing <= 0 and all(outcome.ok for outcome in outcomes)


def _failures(outcomes: Sequence[JobOutcome]) -> None:
    """Print why jobs failed, a line a cause, and how to run the first of them alone."""
    causes: defaultdict[str, list[JobOutcome]] = defaultdict(list)
    for outcome in outcomes:
        if outcome.status == "failed":
            causes[outcome.note].append(outcome)
    for note, alike in causes.items():
        numbers = ", ".join(str(one.job + 1) for one in alike[:MOST])
        more = f" and {len(alike) - MOST} more" if len(alike) > MOST else ""
        jobs = "job" if len(alike) == 1 else "jobs"
        show_line(f"{jobs} {numbers}{more} failed: {note}", style="red")
        if alike[0].command:
            show_line(f"  alone and again: {alike[0].command}")


def _table(outcomes: Sequence[JobOutcome]) -> None:
    """Print a row for each job; of many, for those that did not get there."""
    listed = outcomes
    if len(outcomes) > MOST:
        listed = [one for one in outcomes if not (one.ok and _is_good(one))]
    rule("jobs")
    if listed:
        names = [outcome.name for outcome in listed]
        table = _job_rows(listed, names)
        if console.is_terminal and columns_of(table) > console.width:
            names, common = _shortened(names)
            table = _job_rows(listed, names)
            if common:
                show_heading(f"all with {common}", style="dim")
        show_table(table)
        show_line("seconds: of solve; error: |x - x*| / |x0 - x*|", style="dim")
        if any(outcome.predicted is not None for outcome in listed):
            show_line("T: the theorem's ln(1/eps) / ln(2.5) steps", style="dim")
    if rest := len(outcomes) - len(listed):
        show_line(f"{rest} of {len(outcomes)} jobs went well and are not listed")


def _job_rows(outcomes: Sequence[JobOutcome], names: Sequence[str]) -> Table:
    theorem = any(outcome.predicted is not None for outcome in outcomes)
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 1))
    table.add_column("job", justify="right", no_wrap=True)
    table.add_column("run", overflow="ellipsis", no_wrap=True)
    table.add_column("status", no_wrap=True)
    for heading in ("steps", *(["T"] if theorem else []), "seconds", "error"):
        table.add_column(heading, justify="right", no_wrap=True)
    for outcome, name in zip(outcomes, names, strict=True):
        status = outcome.status.split(" (")[0]
        if outcome.status == "skipped":
            status = f"skipped, {outcome.note}"
        colour = {"converged": "green", "measured": "green", "failed": "red"}.get(status, "yellow")
        table.add_row(
            str(outcome.job + 1),
            cell(name),
            cell(status, colour),
            _text(outcome.steps, "d"),
            *([_text(outcome.predicted, "d")] if theorem else []),
            _text(outcome.solve_seconds, ".2g"),
            error_text(outcome.error),
        )
    return table


def _has_run(outcome: JobOutcome) -> bool:
    return outcome.status != "skipped"


def _is_good(outcome: JobOutcome) -> bool:
    return "measured" in (outcome.status, outcome.ended) or is_solved(outcome)


def _shortened(names: Sequence[str]) -> tuple[list[str], str]:
    """Return names without the words that all of them have, and these words."""
    every = [name.split(" ") for name in names]
    shared = [word for word in every[0] if all(word in words for words in every)]
    if len(names) < 2:
        return list(names), ""
    kept = [" ".join(word for word in words if word not in shared) for words in every]
    return kept, " ".join(shared)


def _text(value: float | None, form: str) -> str:
    return "" if value is None else format(value, form)


def _figures(options: TrackingOptions, sweeps: Sequence[str]) -> str:
    """Return the command that draws some sweeps; nothing for sweeps of many."""
    if not 0 < len(sweeps) <= SWEEPS:
        return ""
    words = [word for sweep in sweeps for word in ("--sweep", sweep)]
    folder = Path(options.folder).absolute()
    if options.absolute_uri != replace(options, uri=None).absolute_uri:
        words += ["--tracking-uri", options.absolute_uri]
    elif folder != Path("results").absolute():
        words += ["--store", str(folder)]
    return f"{shown_command('figures')} {typed(words)}"
