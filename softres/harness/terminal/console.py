"""What a run prints: its configuration, the assumption check, progress, and its result."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from softres.problems.evaluation import Evaluation
from softres.solvers.loop import Callback
from softres.solvers.result import Row
from softres.theory import Assumption

__all__ = [
    "console",
    "error_text",
    "progress",
    "show_assumptions",
    "show_configuration",
    "show_line",
]

console = Console(highlight=False, emoji=False)


def show_line(text: str, style: str = "") -> None:
    """Print one line; markup in it is text."""
    console.print(text, style=style, markup=False, soft_wrap=True)


def show_configuration(yaml: str) -> None:
    """Print the resolved configuration."""
    console.rule("configuration", style="dim")
    console.print(Syntax(yaml.rstrip(), "yaml", theme="ansi_dark", background_color="default"))


def show_assumptions(checks: Sequence[Assumption]) -> None:
    """Print each assumption of Theorem 9.1 with its figure."""
    table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 1))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for check in checks:
        word = "[green]holds[/]" if check.holds else "[yellow]fails[/]"
        table.add_row(f"  {word}", Text(check.statement), Text(check.figure))
    held = sum(check.holds for check in checks)
    console.print(
        f"Assumptions of Theorem 9.1: {held} of {len(checks)} hold "
        "[dim](C and M as recalled from the papers)[/]"
    )
    console.print(table)


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
