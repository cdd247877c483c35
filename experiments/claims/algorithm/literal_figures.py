"""Figure and table of Algorithm 1 to the letter: the factor against the weights, and the map."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from experiments.claims.algorithm.literal_map import CELL, failure_map
from experiments.claims.algorithm.literal_measure import STATED
from experiments.kit.legends import legend_above
from experiments.kit.runs import LoggedRun
from experiments.kit.style import DOUBLE, look, new_figure
from experiments.kit.verdicts import joined
from softres.theory.predictions import CONTRACTION

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw", "tables"]

#: Where a step that is not to be had is drawn, over the largest factor there is.
ABOVE = 3.0


def draw(runs: Sequence[LoggedRun]) -> Mapping[str, Figure]:
    """Draw the worst factor of a draw against w^2, a panel for each R."""
    table = joined(runs, "seed", "d")
    draws = table[(table["part"] == "draw") & (table["level"] != STATED)]
    finite = draws["factor_H"].replace(np.inf, np.nan)
    top = ABOVE * max(1.0, float(finite.max()))
    radii = sorted(draws["R"].unique())
    names = list(dict.fromkeys(zip(draws["rows"], draws["condition"], draws["n"], strict=True)))
    most = draws["n"].max()
    figure, axes = new_figure(DOUBLE, 2.6, columns=len(radii))
    for axis, R in zip(axes, radii, strict=True):
        for number, (rows, condition, n) in enumerate(names):
            part = draws[
                (draws["R"] == R)
                & (draws["rows"] == rows)
                & (draws["condition"] == condition)
                & (draws["n"] == n)
            ]
            worst = part.groupby("relative")["factor_H"].max()
            steps = worst.replace(np.inf, np.nan).dropna()
            label = f"{rows}, {condition:g}" if n == most else f"few rows, {condition:g}"
            axis.plot(steps.index, steps, label=label, **look("", number))
            gone = worst[np.isinf(worst)]
            style = {"linestyle": "", "marker": "x", "color": look("", number)["color"]}
            axis.plot(gone.index, np.full(len(gone), top * 0.8**number), **style)
        axis.axhline(CONTRACTION, label=f"{CONTRACTION}", **look("bound"))
        axis.set(xscale="log", yscale="log", xlabel=r"$w^2\ /\ \max\ v^2/\alpha^2$")
        axis.set_title(f"R = {R:g}")
        axis.invert_xaxis()
    axes[0].set_ylabel("worst factor of a step (H-norm)")
    legend_above(figure, axes[0])
    return {"literal": figure}


def tables(runs: Sequence[LoggedRun]) -> Mapping[str, pd.DataFrame]:
    """Return where the method stops, by kind of instance."""
    table = failure_map(joined(runs, "seed", "d"))
    return {"literal_map": table.set_index(list(CELL))}
