"""Seconds a step by size: fits, speed-ups, figures and tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from experiments._figures import ticks_at
from experiments._verdicts import joined
from experiments.cost_per_iteration_measure import SOLVERS
from experiments.runs import LoggedRun
from experiments.stats import Line, fit_line
from experiments.style import DOUBLE, SINGLE, look, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = [
    "draw",
    "exponent",
    "families",
    "part_of",
    "sampled",
    "speedups",
    "tables",
]

#: Parts of a step that are small at every size, joined in figures.
PHASES = ("hessian", "sketch", "sampling", "factor", "line_search")


def families(runs: Sequence[LoggedRun]) -> dict[str, pd.DataFrame]:
    """Return the steps of each family; the column ``size`` is what it varies."""
    found = {}
    for run in runs:
        name = run.params["experiment.family"]
        vary = run.params[f"experiment.families.{name}.vary"]
        table = joined([run])
        found[name] = table.assign(vary=vary, size=table[vary])
    return found


def exponent(steps: pd.DataFrame, column: str = "seconds", largest: int = 0) -> Line:
    """Fit the exponent, in logarithms, to the median step of each solve.

    With ``largest`` given, to so many of the largest sizes only.
    """
    if largest:
        steps = steps[steps["size"].isin(sorted(steps["size"].unique())[-largest:])]
    medians = steps.groupby(["size", "repetition"])[column].median()
    medians = medians[medians > 0]
    return fit_line(np.log(medians.index.get_level_values("size")), np.log(medians))


def sampled(table: pd.DataFrame) -> pd.DataFrame:
    """Return the steps at sizes where approximate Newton leaves out a tenth of the rows or more.

    Of both solvers, so that their exponents speak of the same sizes. All, where fewer than three
    sizes are left.
    """
    approx = table[table.solver == "approx_newton"]
    sizes = approx[approx.rows_distinct < 0.9 * approx.n]["size"].unique()
    return table[table["size"].isin(sizes)] if len(sizes) >= 3 else table


def part_of(table: pd.DataFrame, solver: str) -> pd.DataFrame:
    """Return the steps of one solver."""
    return table[table.solver == solver]


def speedups(table: pd.DataFrame) -> pd.Series[float]:
    """Return exact seconds over approximate ones, by size."""
    medians = table.groupby(["size", "solver"]).seconds.median().unstack()
    return medians["exact_newton"] / medians["approx_newton"]


def draw(runs: Sequence[LoggedRun]) -> Mapping[str, Figure]:
    """Draw seconds a step against each size, and where the time goes."""
    found = families(runs)
    names = [name for name in ("n", "d", "nnz") if name in found]
    figure, axes = new_figure(DOUBLE, height=0.33 * DOUBLE, columns=max(1, len(names)))
    for axis, name in zip(axes, names, strict=False):
        fitted = sampled(found[name])
        for solver in SOLVERS:
            cells = part_of(found[name], solver).groupby("size").seconds
            style = look(solver)
            slope = exponent(part_of(fitted, solver)).slope.value
            label = f"{solver.replace('_', ' ')}: {slope:.2f}"
            axis.plot(cells.median(), label=label, **style)
            low, high = cells.quantile(0.2), cells.quantile(0.8)
            axis.fill_between(low.index, low, high, color=style["color"], alpha=0.2, linewidth=0)
        axis.set(xscale="log", yscale="log", xlabel="nnz(A)" if name == "nnz" else name)
        axis.legend(
            title="exponent where rows are left out",
            fontsize=6,
            title_fontsize=6,
            frameon=False,
            loc="upper left",
        )
        bottom, top = axis.get_ylim()
        axis.set_ylim(bottom, top * (top / bottom) ** 0.35)  # room for the legend
        ticks_at(axis, sorted(found[name]["size"].unique()) if name == "d" else None)
    axes[0].set_ylabel("seconds a step")
    figures = {"cost_per_iteration": figure}
    if "n" in found:
        figure, (axis,) = new_figure(SINGLE)
        part = part_of(found["n"], "approx_newton")
        for index, phase in enumerate(PHASES):
            column = f"seconds_{phase}"
            if column in part:
                axis.plot(
                    part.groupby("size")[column].median(),
                    label=phase.replace("_", " "),
                    **look("", index),
                )
        axis.set(xscale="log", yscale="log", xlabel="n", ylabel="seconds a step and phase")
        axis.legend(fontsize=6, frameon=False, ncols=2)
        figures["cost_per_iteration_phases"] = figure
    return figures


def tables(runs: Sequence[LoggedRun]) -> Mapping[str, pd.DataFrame]:
    """Return the exponents of whole steps and of their phases, and the speed-ups.

    Exponents are those of the verdicts, over :func:`sampled` sizes; speed-ups are of all sizes.
    """
    rows, ratios = [], []
    for name, table in families(runs).items():
        for solver in SOLVERS:
            part = part_of(sampled(table), solver)
            for column in ("seconds", *(f"seconds_{phase}" for phase in PHASES)):
                if column in part and part[column].median() > 0:
                    slope = exponent(part, column).slope
                    rows.append(
                        {
                            "family": name,
                            "solver": solver,
                            "part": column.removeprefix("seconds_"),
                            "exponent": slope.value,
                            "low": slope.low,
                            "high": slope.high,
                            "share": part[column].median() / part.seconds.median(),
                        }
                    )
        ratio = speedups(table).rename("exact / approximate seconds").reset_index()
        ratios.append(ratio.assign(family=name))
    return {"cost_exponents": pd.DataFrame(rows), "cost_speedups": pd.concat(ratios)}
