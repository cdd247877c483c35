"""Ticks that can be read: the swept values themselves, plain numbers, words that do not overlap."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from softres.results.figures import labels

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis

__all__ = ["ratio_ticks", "readable", "ticks_at", "word_ticks"]

#: Decades below which a logarithmic axis has labels between its powers of ten.
_NARROW = 1.9


def readable(axis: Axis) -> None:
    """Label a logarithmic axis: 2 and 50 rather than powers, and few between the powers."""
    from matplotlib.ticker import LogFormatter, LogFormatterSciNotation, LogLocator

    low, high = axis.get_view_interval()
    ours = isinstance(axis.get_major_formatter(), LogFormatterSciNotation)
    if axis.get_scale() != "log" or not ours or low <= 0:
        return
    plain = low >= 0.5 and high <= 2e4
    form = LogFormatter if plain else LogFormatterSciNotation
    if plain:
        axis.set_major_formatter(LogFormatter())
    decades = float(np.log10(high / low))
    if decades < _NARROW:
        axis.set_minor_locator(LogLocator(subs=(2.0, 5.0) if decades > 0.7 else (1.5, 2, 3, 4, 6)))
        axis.set_minor_formatter(form(labelOnlyBase=False, minor_thresholds=(np.inf, np.inf)))


def ticks_at(axes: Axes, values: pd.Series) -> None:
    """Label the values themselves on a logarithmic x axis where there is room for them."""
    from matplotlib.ticker import NullFormatter, NullLocator

    places = np.unique(values.to_numpy(float))
    if len(places) < 2:
        return
    # All values, also in a panel that has one of them only.
    room = (places[-1] / places[0]) ** 0.1
    axes.set_xlim(places[0] / room, places[-1] * room)
    gaps = np.diff(np.log10(places)) / np.log10(places[-1] / places[0])
    if len(places) <= 5 and gaps.min() > 0.16:
        axes.set_xticks(places, labels=[labels.value(place) for place in places])
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_minor_formatter(NullFormatter())


def word_ticks(axes: Axes, words: Sequence[str]) -> None:
    """Write words at 0, 1, 2, ... of the x axis."""
    turned: dict[str, Any] = (
        {"rotation": 30, "ha": "right", "rotation_mode": "anchor"} if len(words) > 2 else {}
    )
    axes.set_xticks(range(len(words)), labels=list(words), **turned)
    axes.set_xlim(-0.5, len(words) - 0.5)


def ratio_ticks(axes: Axes) -> None:
    """Label ratios as what they are: 1, 2, 5, 10."""
    from matplotlib.ticker import FixedLocator, NullFormatter, StrMethodFormatter

    end = axes.get_xlim()[1]
    steps = (1.0, 1.5, 2.0, 3.0) if end < 5 else (1.0, 2.0, 5.0) if end < 200 else (1.0,)
    places = [step * 10.0**power for power in range(12) for step in steps]
    axes.xaxis.set_major_locator(FixedLocator([place for place in places if place <= end]))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
