"""Figures of the regime: what the weights leave, and where the method meets trouble."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import log10
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from experiments.kit.legends import legend_above
from experiments.kit.runs import LoggedRun
from experiments.kit.style import DOUBLE, look, new_figure
from experiments.kit.verdicts import joined
from softres.theory.predictions import CONTRACTION

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw"]

#: Where w^2 = 0 is drawn on a logarithmic axis, over the smallest positive level.
ZERO = 1e-2
_AXIS = r"$w^2\ /\ \max\ v^2/\alpha^2$"


def draw(runs: Sequence[LoggedRun]) -> Mapping[str, Figure]:
    """Draw what is left of the data term, and the frontier."""
    table = joined(runs, "seed")
    positive = table.loc[table["relative"] > 0, "relative"]
    floor = float(positive.min()) * ZERO
    inside = table["inside"].astype(bool)
    # The theorem's w^2 differs from instance to instance; it is drawn in one place.
    ceiling = float(table.loc[~inside, "relative"].max()) * 1e4
    at = table["relative"].clip(lower=floor).where(~inside, ceiling)
    table = table.assign(at=10.0 ** np.log10(at).round(6))  # equal to rounding: one level
    return {"emptiness": _emptiness(table, floor), "frontier": _frontier(table, floor)}


def _emptiness(table: pd.DataFrame, floor: float) -> Figure:
    figure, axes = new_figure(DOUBLE, 2.4, columns=2)
    for number, (column, name) in enumerate(
        (("data_curvature", "of the curvature"), ("loss_fall", "of the loss, removed"))
    ):
        _line(axes[0], table, column, name, number)
    axes[0].set_yscale("log")
    axes[0].set_ylabel("share of the data term")
    axes[0].legend(loc="lower right")
    solved = table[(table["w2"] > 0)]
    for number, (R, part) in enumerate(solved.groupby("R")):
        _line(axes[1], part, "linear_solve_error", f"R = {R:g}", number)
    axes[1].set_yscale("log")
    axes[1].set_ylabel("error of one linear solve")
    axes[1].legend(loc="lower right")
    for axis in axes:
        _finish(axis, table, floor)
    return figure


def _frontier(table: pd.DataFrame, floor: float) -> Figure:
    figure, axes = new_figure(DOUBLE, 2.4, columns=3)
    panels = (
        ("contraction_H", "largest factor (H-norm)"),
        ("negative_eigenvalues", "negative eigenvalues (max)"),
        ("approx_steps", "steps, approximate Newton"),
    )
    for axis, (column, label) in zip(axes, panels, strict=True):
        for number, (R, part) in enumerate(table.groupby("R")):
            most = column == "negative_eigenvalues"
            _line(axis, part, column, f"R = {R:g}", number, most=most)
        axis.set_ylabel(label)
        _finish(axis, table, floor)
    axes[0].set_yscale("log")  # most factors are far below the lemma's
    axes[0].axhline(CONTRACTION, **look("bound"), label=f"lemma: {CONTRACTION}")
    legend_above(figure, axes[0])
    axes[1].set_ylim(bottom=-0.1)
    axes[1].locator_params(axis="y", integer=True)
    axes[2].set_ylim(bottom=0)
    return figure


def _line(
    axis: Axes, part: pd.DataFrame, column: str, name: str, number: int, *, most: bool = False
) -> None:
    """Draw the median with the range over instances, or the largest value."""
    grouped = part.groupby("at")[column]
    middle, low, high = grouped.median(), grouped.min(), grouped.max()
    style = look("", number)
    axis.plot(middle.index, high if most else middle, label=name, **style)
    if not most:
        axis.fill_between(middle.index, low, high, color=style["color"], alpha=0.15, linewidth=0)


def _finish(axis: Axes, table: pd.DataFrame, floor: float) -> None:
    """Set the axis from the theorem's weights on the left down to 0 on the right."""
    top = float(table["at"].max())
    below = float(table.loc[~table["inside"].astype(bool), "relative"].max())
    axis.set_xscale("log")
    axis.set_xlim(top * 30, floor / 4)
    axis.axvspan(top / 20, top * 30, color="0.93", linewidth=0, zorder=0)
    ticks = [10.0**k for k in range(8, -13, -4) if floor * 10 < 10.0**k <= below]
    zero = bool((table["w2"] == 0).any())
    axis.set_xticks([top, *ticks] + [floor] * zero)
    axis.set_xticklabels(["thm.", *(f"$10^{{{round(log10(t))}}}$" for t in ticks)] + ["0"] * zero)
    axis.minorticks_off()
    axis.set_xlabel(_AXIS)
