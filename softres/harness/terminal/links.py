"""Where to look at runs: the command that starts the user interface, and the link to open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from html import escape
from pathlib import Path
from typing import Any

from rich.text import Text

from softres.common.program import shown_command
from softres.harness.outcome import JobOutcome, read_outcomes
from softres.harness.terminal.console import console, show_line, show_text, typed_path
from softres.tracking import TrackingOptions, charts_link, open_store, ui_command
from softres.tracking.durable.spool import Spool

__all__ = ["places_of", "show_interrupted", "show_links"]

#: Swept keys that tell repetitions of one thing apart; charts average over them.
REPETITIONS = ("seed",)
#: A page in the command's folder that leads on to the charts.
PAGE = "charts.html"


def places_of(
    outcomes: Sequence[JobOutcome], options: TrackingOptions
) -> list[tuple[TrackingOptions, list[str]]]:
    """Return the stores that jobs were recorded in, each with the names of their sweeps."""
    sweeps: dict[tuple[str, str, str], set[str]] = {}
    for outcome in outcomes:
        if outcome.experiment_id:
            place = outcome.uri, outcome.folder, outcome.experiment
            sweeps.setdefault(place, set()).add(outcome.sweep)
    if not sweeps and options.enabled and Spool.of(options).runs():
        sweeps[options.place] = set()
    return [
        (
            replace(options, enabled=True, uri=uri, folder=folder, experiment=experiment),
            sorted(names),
        )
        for (uri, folder, experiment), names in sweeps.items()
    ]


def show_links(
    options: TrackingOptions,
    outcomes: Sequence[JobOutcome],
    folder: Path,
    overrides: Sequence[str],
    figures: str = "",
) -> None:
    """Print how to go on with the runs of ``options.sweep``, or of all where it is ``None``.

    Parameters
    ----------
    options
        Where the runs are.
    outcomes
        Of the jobs: measurements have no curves of a solve, and are shown by their own metrics.
    folder
        The command's output folder.
    overrides
        The command line's overrides: charts are grouped by what was swept.
    figures
        The command that draws the sweep; empty where there is nothing to draw.
    """
    swept = [key for key in _swept(overrides) if key != "solver"]
    store = open_store(options, patient=True)
    measured = all("measured" in (outcome.status, outcome.ended) for outcome in outcomes)
    store.save_charts([] if measured else None, group_by=["solver", *swept])
    if count := store.waiting_runs():
        show_text(
            f"{count} runs wait in {options.folder}/spool: the next run or {shown_command('sync')} "
            "delivers them",
            style="yellow",
        )
    if count := store.set_aside():
        show_text(
            f"{count} runs are set aside in {options.folder}/spool: {shown_command('sync')} names "
            "them",
            style="yellow",
        )
    for command in filter(None, (figures, ui_command(options))):
        show_line(command)
    if store.experiment_id:
        _show_link(charts_link(options, store.experiment_id, options.sweep), folder)


def show_interrupted(folder: Path, tracking: Mapping[str, Any], overrides: Sequence[str]) -> None:
    """Print the links of a sweep that was ended: what it has done can be looked at."""
    try:
        outcomes = read_outcomes(folder)
        for place, names in places_of(outcomes, TrackingOptions(**tracking)):
            sweep = names[0] if len(names) == 1 else None
            show_links(replace(place, sweep=sweep), outcomes, folder, overrides)
    except Exception as error:  # the runs that ended are kept, whatever became of this
        reason = (str(error) or type(error).__name__).splitlines()[0]
        show_line(f"no link to the runs: {reason[:58]}", style="yellow")


def _show_link(link: str, folder: Path) -> None:
    """Print a link; where a terminal would break it, as much as fits, and a page that leads on."""
    if not console.is_terminal or len(link) <= console.width:
        show_line(link)
        return
    folder.mkdir(parents=True, exist_ok=True)
    page, target = folder / PAGE, escape(link)
    page.write_text(
        f'<!doctype html><meta charset="utf-8"><title>softres</title>'
        f'<meta http-equiv="refresh" content="0; url={target}"><a href="{target}">{target}</a>\n',
        encoding="utf-8",
    )
    show_line(f"{typed_path(page)}: leads on to")
    text = Text(link, style=f"link {link}")
    text.truncate(console.width, overflow="ellipsis")
    console.print(text, no_wrap=True)


def _swept(overrides: Sequence[str]) -> list[str]:
    """Return the keys that the command line gave several values, repetitions left out."""
    several = (",", "range(", "glob(")
    swept = [text for text in overrides if any(mark in text for mark in several)]
    keys = [text.split("=", 1)[0].lstrip("+~") for text in swept]
    return [key for key in keys if key not in REPETITIONS]
