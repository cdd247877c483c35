"""What a run prints: the assumption check, progress, and its result."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console, ConsoleDimensions
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from softres.common.text import printable
from softres.problems.evaluation import Evaluation
from softres.solvers.loop import Callback
from softres.solvers.result import Row
from softres.theory import Assumption

__all__ = [
    "cell",
    "columns_of",
    "console",
    "duration",
    "error_text",
    "progress",
    "rule",
    "show_assumptions",
    "show_heading",
    "show_line",
    "show_table",
    "show_text",
    "typed_path",
]

#: Columns below which no line can be laid out; a terminal that has fewer, COLUMNS=0, has 80.
NARROWEST = 20


class _WideEnough(Console):
    """A console in which every line can be laid out."""

    @property
    def size(self) -> ConsoleDimensions:
        width, height = super().size
        return ConsoleDimensions(width if width >= NARROWEST else 80, height)

    @size.setter
    def size(self, size: tuple[int, int]) -> None:
        self._width, self._height = size


console = _WideEnough(highlight=False, emoji=False)
#: Columns of a table that no terminal shows.
WIDE = 1000
#: Assumptions that were printed.
_shown: set[tuple[Assumption, ...]] = set()


def show_line(text: str, style: str = "") -> None:
    """Print one line; markup in it is text, and what a terminal would obey is escaped."""
    console.print(printable(text), style=style, markup=False, soft_wrap=True)


def show_text(text: str, style: str = "") -> None:
    """Print a sentence; a terminal breaks it between words, elsewhere it is one line."""
    lines = [text]
    if console.is_terminal:
        indent = " " * (len(text) - len(text.lstrip()) + 2)
        lines = textwrap.wrap(text, console.width, subsequent_indent=indent)
    for line in lines:
        show_line(line, style)


def show_heading(text: str, style: str = "bold") -> None:
    """Print one line; a terminal shows as much of it as it has columns."""
    if console.is_terminal:
        console.print(cell(text, style), no_wrap=True, overflow="ellipsis")
    else:
        show_line(text)


def cell(text: str, style: str = "") -> Text:
    """Return the text of a table's cell, as :func:`show_line` shows a line."""
    return Text(printable(text), style=style)


def typed_path(path: Path) -> str:
    """Return a path as it is typed from here."""
    try:
        return str(path.absolute().relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def rule(title: str) -> None:
    """Print a heading; where no terminal shows it, in letters that any program can show."""
    console.rule(title, style="dim", characters="\u2500" if console.is_terminal else "-")


def show_table(table: Table) -> None:
    """Print a table; where no terminal shows it, each row is one line however long."""
    if console.is_terminal:
        console.print(table)
    else:
        Console(width=WIDE, highlight=False, emoji=False).print(table)


def columns_of(table: Table) -> int:
    """Return how many columns of a terminal a table fills where nothing is cut."""
    return console.measure(table, options=console.options.update(max_width=WIDE)).maximum


def show_assumptions(checks: Sequence[Assumption], predicted: int) -> None:
    """Print each assumption of Theorem 9.1 with its figure, once for each instance.

    Parameters
    ----------
    checks
        The assumptions.
    predicted
        The theorem's number of steps, said where all of them hold.
    """
    if tuple(checks) in _shown:
        return
    _shown.add(tuple(checks))
    table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 1))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for check in checks:
        word = "[green]holds[/]" if check.holds else "[yellow]fails[/]"
        table.add_row(f"  {word}", Text(check.statement), Text(check.figure))
    held = sum(check.holds for check in checks)
    console.print(
        f"  Assumptions of Theorem 9.1: {held} of {len(checks)} hold "
        "[dim](C and M as in related papers)[/]"
    )
    show_table(table)
    if held == len(checks):
        show_line(f"  So the theorem promises the goal within T = {predicted} steps.", style="dim")
    else:
        show_line(
            "  So the theorem promises nothing here; the solvers may still converge.", style="dim"
        )


def duration(seconds: float) -> str:
    """Return seconds as a person says them: ``40 s``, ``12 min``, ``3.5 h``."""
    if seconds < 99.5:
        return f"{max(1, round(seconds))} s"
    return f"{seconds / 60:.0f} min" if seconds < 5970 else f"{seconds / 3600:.1f} h"


def error_text(error: float | None) -> str:
    """Return a relative error in short; what a double cannot tell from zero is said so."""
    if error is None:
        return ""
    return "<2e-16" if error < 2e-16 else f"{error:.1e}"


@contextmanager
def progress(name: str, max_steps: int) -> Iterator[Callback]:
    """Show steps, residual and solver seconds while a solver works, on a terminal only.

    Yields the callback to give to the solver's log clock.
    """
    columns: list[Any] = [
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=12),
        TextColumn("step {task.completed}  error {task.fields[error]}  {task.fields[seconds]}"),
        TimeElapsedColumn(),
    ]
    with Progress(*columns, console=console, transient=True, refresh_per_second=4) as bar:
        task = bar.add_task(
            name.split(" ", maxsplit=1)[0], total=max_steps, error="1", seconds="0.0 s"
        )

        def update(row: Row, point: Evaluation) -> None:
            error = row.get("relative_error_l2", row["relative_gradient"])
            bar.update(
                task,
                completed=int(row["step"]),
                error=f"{error:.1e}",
                seconds=f"solve {row['solve_seconds']:.1f} s",
            )

        yield update
