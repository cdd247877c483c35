"""Legends that never cover data, and ticks that never overlap and are read at a glance."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import TYPE_CHECKING

from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from softres.results.figures.labels import value

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["legend_above", "readable_ticks", "ticks_at"]

#: Entries of a legend that a figure of full width has room for in a row.
ENTRIES = 5
#: A logarithmic axis whose ends differ by less than this factor may show but one power of ten.
SHORT = 60.0


def legend_above(figure: Figure, axis: Axes) -> None:
    """Put one legend, of an axis, above all axes, in as many rows as it takes."""
    handles, labels = axis.get_legend_handles_labels()
    rows = ceil(len(labels) / ENTRIES)
    figure.legend(
        handles,
        labels,
        loc="outside upper center",
        ncols=ceil(len(labels) / max(1, rows)),
        frameon=False,
        fontsize=7,
    )


def readable_ticks(figure: Figure) -> None:
    """Label logarithmic axes at powers of ten; short ones at 1, 2 and 5 times these, in digits.

    Axes whose ticks were chosen are left as they are.
    """
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            if axis.get_scale() != "log" or not isinstance(axis.get_major_locator(), LogLocator):
                continue
            axis.set_minor_formatter(NullFormatter())
            low, high = sorted(axis.get_view_interval())
            if low > 0 and high / low < SHORT:
                axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
                axis.set_major_formatter(FuncFormatter(lambda number, _: value(number)))


def ticks_at(axis: Axes, values: Sequence[float] | None = None) -> None:
    """Label a logarithmic x axis at these values, or at powers of ten only."""
    axis.xaxis.set_minor_formatter(NullFormatter())
    if values is not None:
        axis.set_xticks(list(values), labels=[f"{value:g}" for value in values])
        axis.tick_params(axis="x", which="minor", length=0)
