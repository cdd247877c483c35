"""Legends that never cover data, and ticks that never overlap."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from matplotlib.ticker import NullFormatter

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["legend_above", "ticks_at"]


def legend_above(figure: Figure, axis: Axes) -> None:
    """Put one legend, of an axis, above all axes."""
    handles, labels = axis.get_legend_handles_labels()
    figure.legend(
        handles, labels, loc="outside upper center", ncols=len(labels), frameon=False, fontsize=7
    )


def ticks_at(axis: Axes, values: Sequence[float] | None = None) -> None:
    """Label a logarithmic x axis at these values, or at powers of ten only."""
    axis.xaxis.set_minor_formatter(NullFormatter())
    if values is not None:
        axis.set_xticks(list(values), labels=[f"{value:g}" for value in values])
        axis.tick_params(axis="x", which="minor", length=0)
