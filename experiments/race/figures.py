"""The race in figures: performance profiles, and errors over time on two instances."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, log2
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import seaborn as sns

from experiments.kit.labels import solver_label
from experiments.kit.style import DOUBLE, look, new_figure
from experiments.race.profile import times
from experiments.race.results import RaceResults
from experiments.race.summary import order
from softres.results.figures.profile import performance_profile

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw_errors", "draw_profile", "two_instances"]

#: The axis of factors ends here at the latest, at 2^12.
LARGEST_FACTOR = 12
PANELS = (1e-8, 1e-10)
#: The stairs go on beyond the largest factor by this much.
SPARE = 1.1
#: As many as there are contestants beside Newton by hand.
_COLOURS = [*sns.color_palette("colorblind", 10), (0.45, 0.1, 0.3)]


def draw_profile(table: pd.DataFrame, levels: Sequence[float] = PANELS) -> Figure:
    """Return the performance profiles, a panel for each level; a miss never rises.

    ``table`` is that of :func:`experiments.race.profile.medians`.
    """
    sets = _compared(table)
    figure, axes = new_figure(DOUBLE, 0.6 + 2.3 * len(sets), columns=len(levels), rows=len(sets))
    names = order(table)
    panels = [(part, level) for part in sets for level in levels]
    for axis, (part, level) in zip(axes, panels, strict=True):
        seconds = times(part, level)
        stairs = performance_profile(seconds)
        end = min(LARGEST_FACTOR, max(1, ceil(log2(float(stairs["ratio"].max()) / SPARE))))
        exponents = np.linspace(0.0, end, 64 * end + 1)
        for index, name in enumerate(names):
            own = stairs[stairs["method"] == name]
            if len(own):
                style = _line(names, name)
                every = (4 * index % 64, 64)  # markers of equal steps do not hide one another
                last = np.searchsorted(own["ratio"], 2.0**exponents, side="right") - 1
                shares = own["share"].to_numpy()[last]
                axis.step(exponents, shares, where="post", markevery=every, **style)
        axis.set(
            xlabel=f"log2 of the factor to the best time, error {_power(level)}",
            title=f"{len(seconds)} instances, {len(seconds.columns)} contestants",
            ylim=(-0.03, 1.03),
            xlim=(-0.02 * end, 1.02 * end),
        )
    for axis in axes[:: len(levels)]:
        axis.set_ylabel("share of instances")
    _legend(figure, axes)
    return figure


def _compared(table: pd.DataFrame) -> list[pd.DataFrame]:
    """Return the rows of all contestants on what all of them ran on, and of the others on all.

    A contestant's profile over fewer instances than another's cannot be held against it.
    """
    ran = table.groupby("contestant")["instance"].agg(set)
    every, common = set(table["instance"]), set.intersection(*ran)
    sets = [table[table["instance"].isin(common)]] if common else []
    if common != every:
        everywhere = [name for name, instances in ran.items() if instances == every]
        sets.append(table[table["contestant"].isin(everywhere)])
    return [part for part in sets if len(part)] or [table]


def two_instances(table: pd.DataFrame) -> list[str]:
    """Return the largest instance that was raced on, and the one that most contestants miss."""
    names = list(dict.fromkeys(table.instance))
    size = table.drop_duplicates("instance").set_index("instance")
    work = size.n.astype(float) * size.d.astype(float) ** 2
    largest = str(work.idxmax())
    others = [name for name in names if name != largest]
    missed = table.assign(missed=table.seconds.isna()).groupby("instance").missed.sum()
    hardest = max(others, key=lambda name: int(missed[name]), default=None)
    return [largest] if hardest is None else [largest, hardest]


def draw_errors(
    table: pd.DataFrame, results: RaceResults, instances: Sequence[str], clock: str
) -> Figure:
    """Return the relative error over time, a panel for each instance.

    Parameters
    ----------
    table
        That of :func:`experiments.race.profile.medians`.
    results
        Where the trajectories are.
    instances
        Names of instances.
    clock
        ``"seconds"`` or ``"cpu_seconds"``.
    """
    figure, axes = new_figure(DOUBLE, 3.4, columns=len(instances))
    names = order(table)
    for axis, instance in zip(axes, instances, strict=True):
        for name in names:
            shown = (table.instance == instance) & (table.contestant == name)
            marks = results.trajectory(instance, name) if shown.any() else None
            if marks is None or len(marks) < 2:
                continue
            style = _line(names, name) | {"markersize": 2.5}
            every = max(1, len(marks) // 8)
            error = marks.error.clip(lower=1e-16)
            axis.plot(marks[clock].clip(lower=1e-5), error, markevery=every, **style)
        axis.set(xscale="log", yscale="log", ylim=(3e-13, 10.0), title=instance)
        axis.set_xlabel("seconds" if clock == "seconds" else "processor seconds")
    axes[0].set_ylabel("relative error, H-norm")
    _legend(figure, axes)
    return figure


def _line(names: Sequence[str], name: str) -> dict[str, Any]:
    """Return a contestant's look: ours thick, Newton by hand black, and no two alike."""
    index = [other for other in names if other != "hand_newton" or name == other].index(name)
    style = look("", index) | {
        "color": _COLOURS[index % len(_COLOURS)],
        "label": solver_label(name),
    }
    if name == "hand_newton":
        style |= {"color": "black", "linestyle": "-"}
    if index == 0:
        style |= {"linewidth": 2.2}
    return style


def _legend(figure: Figure, axes: Sequence[Axes]) -> None:
    found: dict[str, Any] = {}
    for axis in axes:
        handles, labels = axis.get_legend_handles_labels()
        found |= dict(zip(labels, handles, strict=True))
    figure.legend(found.values(), found.keys(), loc="outside lower center", ncols=4)


def _power(level: float) -> str:
    return f"{level:.0e}".replace("e-0", "e-")
