"""Whether the Hessian's condition grows less with depth where there are skip connections."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from experiments.claims.multi_layer.multi_layer_conditioning_measure import measure
from experiments.kit.cells import sight
from experiments.kit.claim import Claim, Conclusion, Verdict
from experiments.kit.legends import legend_above
from experiments.kit.runs import LoggedRun
from experiments.kit.statistics import cluster_bootstrap
from experiments.kit.style import DOUBLE, look, new_figure
from experiments.kit.verdicts import counterexample, joined, row_of_largest

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["CAPTIONS", "CLAIM", "growth", "headline"]

#: Depth from which on slopes are fitted: one layer has no other layer's x beside its own.
LEAST_DEPTH = 2
#: What is judged: a column of :func:`growth`, and its words.
STATEMENTS = {
    "difference": "With skip connections log10 of the condition of the Hessian at x* grows less "
    "with each layer than without",
    "level": "At the most layers the condition of the Hessian at x* is lower with skip connections "
    "than without (log10 of the ratio)",
}
CAPTIONS = {
    "conditioning": "Condition of the Hessian at the minimiser that is found from 0, against the "
    "number of layers over one A, tanh branches, with and without skip connections, w^2 in a fixed "
    "ratio (in the legend) to the largest v^2 / alpha^2 at 0: median over the seeds, their range",
    "growth": "Growth of log10 of the condition a layer from two layers on, by least squares, with "
    "skip connections and without (plain), the difference, and that of log10 of the condition at "
    "the most layers (level): means over the seeds, 95% intervals (bootstrap over seeds); and the "
    "share of the data's loss that is left at the most layers",
}


def growth(table: pd.DataFrame) -> pd.DataFrame:
    """Return the slope of log10 of the condition in depth with and without skip, cell by cell.

    Returns
    -------
    A row for each R and weight: the two slopes, their difference, and that of the levels at the
    most layers, each a mean over seeds, with intervals; and the runs in which the two are largest.
    """
    rows: list[dict[str, Any]] = []
    for (R, weight), cell in table.groupby(["R", "weight"]):
        slopes = {
            key: np.polyfit(part["depth"], part["log_condition"], 1)[0]
            for key, part in cell[cell["depth"] >= LEAST_DEPTH].groupby(["run", "skip"])
        }
        seeds = list(dict.fromkeys(cell["run"]))
        skip, plain = (np.array([slopes[run, kind] for run in seeds]) for kind in (True, False))
        row: dict[str, Any] = {"R": R, "weight": weight, "instances": len(seeds)}
        for name, values in (("skip", skip), ("plain", plain), ("difference", skip - plain)):
            found = cluster_bootstrap(values, seeds, lambda sample: float(np.mean(sample)))
            row |= {name: found.value, f"{name}_low": found.low, f"{name}_high": found.high}
        deepest = cell[cell["depth"] == cell["depth"].max()]
        ends = deepest.set_index(["run", "skip"])["log_condition"]
        gaps = np.array([ends[run, True] - ends[run, False] for run in seeds])
        found = cluster_bootstrap(gaps, seeds, lambda sample: float(np.mean(sample)))
        row |= {"level": found.value, "level_low": found.low, "level_high": found.high}
        for name, kind in (("skip", True), ("plain", False)):
            row[f"loss_{name}"] = float(deepest.loc[deepest["skip"] == kind, "data_loss"].median())
        row["run_difference"] = seeds[int(np.argmax(skip - plain))]
        row["run_level"] = seeds[int(np.argmax(gaps))]
        rows.append(row)
    return pd.DataFrame(rows)


def _known(runs: Sequence[LoggedRun]) -> pd.DataFrame:
    """Return the cases of seeds whose minimisers were all certified, with finite conditions."""
    table = joined(runs)
    good = table["certified"].astype(bool) & np.isfinite(table["log_condition"])
    spoiled = set(zip(*(table.loc[~good, key] for key in ("run", "R", "weight")), strict=True))
    kept = [key not in spoiled for key in zip(table.run, table.R, table.weight, strict=True)]
    return table[kept]


def judge(runs: Sequence[LoggedRun]) -> list[Verdict]:
    """Judge by the interval of the difference of slopes, and of levels, in every cell."""
    table = _known(runs)
    if table.empty:
        return []
    found, lost = growth(table), len(joined(runs)) - len(table)
    return [_verdict(column, found, lost, runs) for column in STATEMENTS]


def _verdict(column: str, found: pd.DataFrame, lost: int, runs: Sequence[LoggedRun]) -> Verdict:
    worst = row_of_largest(found, found[column])
    example = None
    if (found[f"{column}_low"] > 0).any():
        conclusion = Conclusion.VIOLATED
        example = counterexample(runs, str(worst[f"run_{column}"]))
    elif (found[f"{column}_high"] < 0).all():
        conclusion = Conclusion.HOLDS
    else:
        conclusion = Conclusion.UNDECIDED
    low, high = worst[f"{column}_low"], worst[f"{column}_high"]
    below = int((found[f"{column}_high"] < 0).sum())
    return Verdict(
        statement=STATEMENTS[column],
        conclusion=conclusion,
        measured=f"difference {worst[column]:.2g} [{low:.2g}, {high:.2g}] at R = {worst['R']:g}, "
        f"relative weight {worst['weight']:g}, the largest",
        bound="below 0",
        cases=len(found),
        reason=f"The interval lies below 0 in {below} of {len(found)} cells. Slopes are from "
        f"{LEAST_DEPTH} layers on, minimisers those found from 0; {lost} cases without a certified "
        "one are left out. The weights, in a fixed ratio to the largest v^2 / alpha^2, bound the "
        f"condition: what is near that bound already cannot grow. {sight(len(found))}",
        counterexample=example,
    )


def headline(runs: Sequence[LoggedRun]) -> str:
    """Say by how much the condition grows with each layer."""
    found = growth(_known(runs))
    return (
        "From two layers on the condition of the Hessian at x* is multiplied with every layer by "
        f"{_factors(found['plain'])} without skip connections and by {_factors(found['skip'])} "
        f"with them, by size of A and weight; at the most layers it is {_factors(found['level'])} "
        f"times as large with them as without. Of the data's loss {_shares(found['loss_plain'])} "
        f"is left at the most layers without, and {_shares(found['loss_skip'])} with them."
    )


def _factors(slopes: pd.Series[Any]) -> str:
    return f"{10 ** slopes.min():.2f} to {10 ** slopes.max():.2f}"


def _shares(losses: pd.Series[Any]) -> str:
    return f"{losses.min():.0%} to {losses.max():.0%}"


def draw(runs: Sequence[LoggedRun]) -> Mapping[str, Figure]:
    """Draw the condition against the depth, a panel for each R."""
    table = _known(runs)
    sizes = sorted(table["R"].unique())
    figure, axes = new_figure(DOUBLE, 0.42 * DOUBLE, columns=len(sizes))
    for axis, R in zip(axes, sizes, strict=True):
        cells = table[table["R"] == R].groupby(["weight", "skip"])
        for index, ((weight, skip), cell) in enumerate(cells):
            by_depth = cell.groupby("depth")["log_condition"]
            style = look("", index)
            label = f"{'skip' if skip else 'no skip'}, {weight:g}"
            middle, low, high = by_depth.median(), by_depth.min(), by_depth.max()
            axis.plot(middle.index, 10.0**middle, label=label, **style)
            axis.fill_between(
                middle.index, 10.0**low, 10.0**high, color=style["color"], alpha=0.15, lw=0
            )
        axis.set(xlabel=f"layers, R = {R:g}", yscale="log")
    axes[0].set_ylabel("condition of the Hessian at x*")
    legend_above(figure, axes[0])
    return {"conditioning": figure}


def tables(runs: Sequence[LoggedRun]) -> Mapping[str, pd.DataFrame]:
    """Return the slopes with their intervals."""
    return {"growth": growth(_known(runs)).drop(columns=["run_difference", "run_level"])}


CLAIM = Claim(
    id="multi_layer_conditioning",
    place="Section 10, future work (our statement)",
    statement="With skip connections the Hessian's condition grows less with depth than without.",
    judge=judge,
    draw=draw,
    tables=tables,
    measure=measure,
    order=19,
)
