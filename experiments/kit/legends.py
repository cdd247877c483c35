"""Legends that never cover data, and ticks that never overlap."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import TYPE_CHECKING

from matplotlib.ticker import NullFormatter

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["legend_above", "ticks_at"]

#: Entries of a legend that a figure of full width has room for in a row.
ENTRIES = 5


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


def ticks_at(axis: Axes, values: Sequence[float] | None = None) -> None:
    """Label a logarithmic x axis at these values, or at powers of ten only."""
    axis.xaxis.set_minor_formatter(NullFormatter())
    if values is not None:
        axis.set_xticks(list(values), labels=[f"{value:g}" for value in values])
        axis.tick_params(axis="x", which="minor", length=0)
