"""A legend above the panels, in as many rows as it takes."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, Any

from softres.results.figures.labels import plain

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from softres.results.figures.style import Size

__all__ = ["Entry", "legend_above"]

_INCH = 72.0


@dataclass(frozen=True)
class Entry:
    """A line of a legend: its text and how the line looks."""

    text: str
    colour: Any
    dashes: Any = ""
    marker: str = ""
    line: bool = True


def legend_above(figure: Figure, entries: list[Entry], size: Size) -> float:
    """Put a legend above all axes; return its height in inches."""
    from matplotlib.lines import Line2D

    if not entries:
        return 0.0
    points = float(size.settings["legend.fontsize"])
    widest = max(len(plain(entry.text)) for entry in entries) * 0.56 * points + 4.4 * points
    columns = max(1, min(len(entries), int(size.width * _INCH / widest)))
    rows = ceil(len(entries) / columns)
    columns = ceil(len(entries) / rows)
    handles = [
        Line2D(
            [],
            [],
            color=entry.colour,
            linestyle=_linestyle(entry.dashes) if entry.line else "none",
            marker=entry.marker or None,
            markeredgewidth=1.0 if entry.marker in ("x", "+") else 0.0,
            label=entry.text,
        )
        for entry in entries
    ]
    figure.legend(
        handles=handles,
        loc="outside upper center",
        ncols=columns,
        columnspacing=1.4,
        handletextpad=0.5,
        borderaxespad=0.1,
    )
    return rows * 1.5 * points / _INCH


def _linestyle(dashes: Any) -> Any:
    return "-" if dashes == "" else (0, dashes)
