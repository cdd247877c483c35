"""The command line that draws any sweep."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from softres.cli.arguments import (
    OneLineParser,
    exit_status,
    output_folder,
)
from softres.common.printing import forgiving_output
from softres.common.program import shown_command
from softres.common.text import typed

if TYPE_CHECKING:
    from softres.results.archive import Archive
    from softres.results.figures.drawing import Drawing
    from softres.results.runs import Runs

__all__ = ["draw_figures", "sweep_figures"]

_CHANNELS = ("hue", "style", "col", "row")
_OURS = ("--sweep", "--where")


def draw_figures(arguments: Sequence[str], claims: Callable[[Sequence[str]], int]) -> int:
    """Draw a sweep where one is asked for, and the claims' figures otherwise.

    Parameters
    ----------
    arguments
        The command line.
    claims
        The command that redraws the figures of the claims; returns its exit status.

    Returns
    -------
    The exit status.
    """
    words = [word.split("=", 1)[0] for word in arguments]
    if not set(words) & {*_OURS, "-h", "--help"}:
        return claims(arguments)
    if set(words) & {"-h", "--help"} and not set(words) & set(_OURS):
        forgiving_output()
        print("Without --sweep and --where: the figures of the claims.\n")
        with suppress(SystemExit):
            claims(arguments)
        print("\nWith --sweep or --where: the figures of a sweep.\n")
    return sweep_figures(arguments)


def sweep_figures(arguments: Sequence[str] | None = None) -> int:
    """Draw a sweep; return the exit status."""
    chosen = _parser().parse_args(arguments)
    return exit_status(
        lambda: _draw(chosen, lambda line: print(line, flush=True)),
        lambda: sys.stderr.write("softres: interrupted\n"),
    )


def _parser() -> OneLineParser:
    parser = OneLineParser(
        description="Draw a sweep: convergence by step, solver second and pass, scaling with every "
        "swept number, a performance profile, the distribution of runtimes, and tables (LaTeX, "
        "Markdown). Beside each figure its caption, its data and the command that redraws it; "
        "page.tex includes them all. With --x and --y: that figure alone. Starts no run.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = parser.add_argument
    add(
        "--sweep",
        action="append",
        metavar="last|NAME",
        help="the latest sweep, or one by its name or the beginning of it; may be repeated",
    )
    add("--where", metavar="FILTER", help="a filter of runs in MLflow's words: params.d = '20'")
    place = parser.add_mutually_exclusive_group()
    place.add_argument("--store", default="results", metavar="FOLDER", help="folder of the runs")
    place.add_argument(
        "--tracking-uri",
        metavar="URI",
        help="sqlite:///FILE, http://HOST:PORT or postgresql://USER@HOST/NAME",
    )
    add(
        "--against",
        metavar="reference|FOLDER",
        help="draw the sweep beside a kept race too: the project's own, or one by its folder",
    )
    add("--out", default="figures", metavar="FOLDER", help="folder to write to")
    add("--x", metavar="COLUMN", help="of one's own figure: step, passes, n, ...")
    add("--y", metavar="COLUMN", help="relative_error_H, steps, peak_memory_gib, ...")
    for channel, what in zip(_CHANNELS, ("colour", "dashes", "columns", "rows"), strict=True):
        add(
            f"--{channel}",
            default="auto",
            metavar="KEY",
            help=f"key told apart by {what}; none for none",
        )
    add("--width", choices=("single", "double"), default="double", help="columns of a page")
    add("--format", default="pdf,png", metavar="A,B", help="some of pdf, png, svg")
    add("--venue", metavar="NAME", help="whose sizes and fonts: neurips, icml, iclr, jmlr, ...")
    return parser


def _draw(chosen: argparse.Namespace, say: Callable[[str], None]) -> None:
    from softres.results.writing.files import formats  # light; what is heavy comes after the checks

    kinds = formats(chosen.format)
    out = output_folder(Path(chosen.out))
    import matplotlib

    from softres.results.archive import open_archive
    from softres.results.figures.style import size_of
    from softres.results.loading import load
    from softres.results.writing.files import write_drawing, write_page, write_tables

    matplotlib.use("agg")  # files alone: there need be no display
    size_of(chosen.width, chosen.venue)
    archive = open_archive(chosen.against) if chosen.against else None
    store = chosen.tracking_uri or str(Path(chosen.store).absolute())
    runs = load(chosen.sweep, where=chosen.where, store=store)
    say(repr(runs))
    command = _command(chosen, runs, store)
    drawings: list[Drawing] = []
    for drawing in _drawings(chosen, runs, archive, say):
        write_drawing(drawing, out, kinds, command)
        drawings.append(drawing)
        say(f"wrote {out / drawing.name}.{{{','.join([*kinds, 'txt', 'csv'])}}}")
    tables = [] if chosen.x else write_tables(runs, out)
    if tables:
        say(f"wrote {out / 'table'}.{{tex,md,csv}}")
    page = write_page(drawings, out, kinds, table=bool(tables), command=command)
    say(f"wrote {page}" if page else "no page.tex: it takes --format pdf or png")


def _drawings(
    chosen: argparse.Namespace, runs: Runs, archive: Archive | None, say: Callable[[str], None]
) -> Iterable[Drawing]:
    from softres.results.figures.convergence import GOAL
    from softres.results.figures.custom import draw_custom
    from softres.results.sweep import draw_sweep

    given = {channel: getattr(chosen, channel) for channel in _CHANNELS}
    asked = {channel: None if key == "none" else key for channel, key in given.items()}
    look = {"width": chosen.width, "venue": chosen.venue}
    if chosen.x:
        return [draw_custom(runs, chosen.x, chosen.y or GOAL, asked, **look)]
    return draw_sweep(runs, asked, y=chosen.y or GOAL, archive=archive, say=say, **look)


def _command(chosen: argparse.Namespace, runs: Runs, store: str) -> str:
    """Return the command that draws the same again, whatever ran in between."""
    from softres.tracking.options import without_password

    words = shown_command("figures").split()
    for sweep in runs.source["sweeps"]:
        words += ["--sweep", sweep]
    if chosen.where:
        words += ["--where", chosen.where]
    words += ["--tracking-uri" if chosen.tracking_uri else "--store", without_password(store)]
    words += ["--out", chosen.out]
    defaults = _parser().parse_args([])
    for name in ("x", "y", *_CHANNELS, "against", "width", "format", "venue"):
        if getattr(chosen, name) != getattr(defaults, name):
            words += [f"--{name}", getattr(chosen, name)]
    return typed(words)
