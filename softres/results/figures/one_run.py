"""The figure of one run, its error by step and by solver second, drawn for many runs in a row.

matplotlib alone draws it, on one pair of axes whose line changes: a run costs what it takes to
write a PNG.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from softres.results.figures import labels
from softres.results.figures.convergence import GOAL
from softres.results.figures.style import PLAIN, drawing_with, size_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.text import Text

    from softres.results.runs import Runs

__all__ = ["NAME", "draw_each"]

#: Name of the file.
NAME = "convergence.png"
_CLOCKS = ("step", "solve_seconds")
_HEIGHT, _DPI = 2.5, 110


def draw_each(runs: Runs, folder: Path) -> Iterator[tuple[str, Path]]:
    """Draw each run that has a trace of its error.

    Parameters
    ----------
    runs
        The runs.
    folder
        Where the file is written, anew for each run: use it before the next one.

    Yields
    ------
    A run's id and the path of its figure.
    """
    columns = ["run", *_CLOCKS, GOAL]
    if not set(columns) <= set(runs.traces):
        return
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    size = size_of("double")
    rows = {row["run"]: row for row in runs.table.to_dict("records")}
    with drawing_with(size):
        figure = Figure(figsize=(size.width, _HEIGHT))
        # Places that fit every run: to find them anew takes longer than all of the drawing.
        figure.subplots_adjust(left=0.1, right=0.985, bottom=0.17, top=0.87, wspace=0.06)
        FigureCanvasAgg(figure)
        title = figure.suptitle("", fontsize=8)
        panels = [_Panel(axes, clock) for axes, clock in zip(_axes(figure), _CLOCKS, strict=True)]
        for run, trace in runs.traces[columns].groupby("run", sort=False):
            error = trace[GOAL].to_numpy(float)
            if not (np.isfinite(error) & (error > 0)).any():
                continue
            row = rows[run]
            for panel in panels:
                panel.show(trace[panel.clock].to_numpy(float), error, row.get("eps"))
            _entitle(title, row)
            path = folder / NAME
            figure.savefig(path, dpi=_DPI, pil_kwargs={"compress_level": 1})
            yield str(run), path


class _Panel:
    """Axes with the line of a run and that of its goal."""

    def __init__(self, axes: Axes, clock: str) -> None:
        self.clock = clock
        self._axes = axes
        (self._line,) = axes.plot([], [], color=PLAIN, marker="o")
        self._goal = axes.axhline(1.0, color="0.45", linewidth=0.7, linestyle=(0, (1, 1.5)))
        self._goal.set_label(r"goal $\varepsilon$")
        axes.set(xlabel=labels.axis(clock), ylabel=labels.axis(GOAL), yscale="log")
        axes.minorticks_off()
        axes.legend(handles=[self._goal], loc="upper right")
        from matplotlib.ticker import MaxNLocator

        axes.label_outer()
        if clock == "step":
            axes.xaxis.set_major_locator(MaxNLocator("auto", integer=True))

    def show(self, spent: np.ndarray, error: np.ndarray, goal: Any) -> None:
        """Show a run's error, shape (steps + 1,); what is no positive number leaves a gap."""
        shown = np.where(np.isfinite(error) & (error > 0), error, np.nan)
        self._line.set_data(spent, shown)
        self._line.set_markersize(3.5 if len(spent) <= 60 else 0)
        low, high = float(np.nanmin(shown)), float(np.nanmax(shown))
        has_goal = goal is not None and np.isfinite(goal)
        self._goal.set_visible(bool(has_goal))
        if has_goal:
            self._goal.set_ydata([goal, goal])
            low, high = min(low, float(goal)), max(high, float(goal))
        end = float(np.nanmax(spent)) or 1.0
        self._axes.set(xlim=(-0.03 * end, 1.03 * end), ylim=(low / 3, high * 3))


def _axes(figure: Any) -> list[Axes]:
    return list(figure.subplots(1, 2, sharey=True))


def _entitle(title: Text, row: dict[Any, Any]) -> None:
    status = row.get("status")
    ended = f"  ({status})" if isinstance(status, str) else ""
    name = str(row["name"])
    short = name if len(name) <= 100 else f"{name[:97]}..."
    title.set_text(f"{short}{ended}".replace("$", r"\$"))
