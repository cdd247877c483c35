"""The figure of the basin: practical radii beside proven ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from experiments.kit.runs import LoggedRun
from experiments.kit.style import DOUBLE, look, new_figure
from experiments.kit.verdicts import joined

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw"]

_SHOWN = (
    ("exact_H", "exact step, H-norm"),
    ("approx_H", "approximate step, H-norm"),
    ("approx_l2", "approximate step, l2"),
    ("converges", "undamped Newton converges"),
)
#: Room below everything that is drawn, for what is written there.
FOOT = 6.0


def draw(runs: Sequence[LoggedRun]) -> Mapping[str, Figure]:
    """Draw the radii of every size of the weights, one panel for each R."""
    table = joined(runs)
    sizes = sorted(table["R"].unique())
    levels = list(dict.fromkeys(table["level"]))
    figure, axes = new_figure(DOUBLE, 2.9, columns=len(sizes))
    drawn = [column for column, _ in _SHOWN]
    lowest = float(np.log10(table[drawn].where(table[drawn] > 0).min().min()))
    local = table["log10_local"]
    floor = min(lowest, float(local[np.isfinite(local)].min())) - FOOT
    places = np.arange(len(levels), dtype=float)
    for axis, R in zip(axes, sizes, strict=True):
        axis.set_xlim(-0.6, len(levels) - 0.4)
        part = table[(table["R"] == R)]
        for number, (column, name) in enumerate(_SHOWN):
            style = look("", number) | {"linestyle": ""}
            radii = part[part[column] > 0].groupby("level")[column]
            at = places + 0.14 * (number - 1.5)
            middle = np.log10(radii.median().reindex(levels).to_numpy())
            least = np.log10(radii.min().reindex(levels).to_numpy())
            axis.errorbar(
                at, middle, yerr=[middle - least, np.zeros_like(least)], label=name, **style
            )
            nowhere = (part[column] == 0).groupby(part["level"]).any().reindex(levels)
            for x, top in zip(at[nowhere], middle[nowhere], strict=True):
                arrow = {"arrowstyle": "->", "color": style["color"], "linestyle": ":"}
                tip = floor + FOOT - 1.0
                axis.annotate("", (x, tip), (x, top), arrowprops=arrow)
        proven = part.groupby("level")["log10_local"].median().reindex(levels).to_numpy()
        axis.hlines(
            proven, places - 0.35, places + 0.35, color="0.2", label="$0.1\\,l/M$, M measured"
        )
        feet = part.groupby("level")[["log10_proven", "log10_recalled"]].median().reindex(levels)
        for place, (own, recalled) in zip(places, feet.to_numpy(), strict=True):
            # Mostly far below everything else: written at the foot rather than drawn to scale.
            axis.annotate(
                f"M proven:\n$10^{{{own:.0f}}}$\nM recalled:\n$10^{{{recalled:.0f}}}$",
                (place, 0.02),
                xycoords=("data", "axes fraction"),
                ha="center",
                fontsize=6.5,
                color="0.3",
            )
        axis.set_ylim(bottom=floor)
        axis.set_xticks(places, [_name(level) for level in levels])
        axis.set_xlabel(f"$w^2$, relative;  R = {R:g}")
    axes[0].set_ylabel(r"$\log_{10}\,|x_0-x^*|$")
    handles, names = axes[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside upper center", ncols=3)
    return {"radii": figure}


def _name(level: str) -> str:
    return "thm." if level == "theorem" else f"$10^{{{round(np.log10(float(level)))}}}$"
