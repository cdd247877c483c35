"""Seconds a step by size: the law they follow, figures and tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from experiments.claims.sampling.cost_per_iteration_measure import COMPARED_SOLVERS
from experiments.claims.sampling.growth import Growth
from experiments.kit.labels import solver_label
from experiments.kit.legends import legend_above, ticks_at
from experiments.kit.runs import LoggedRun
from experiments.kit.style import DOUBLE, SINGLE, look, new_figure
from experiments.kit.verdicts import joined

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["CAPTIONS", "draw", "families", "growths", "seconds", "tables"]

#: Parts of a step, in the order of the figure.
PHASES = ("hessian", "sketch", "sampling", "factor", "line_search")

CAPTIONS = {
    "cost_per_iteration": "Processor seconds of a step for each entry of A, over d, a line for "
    "every n, paler for a larger one; a cost of nnz(A) is level, one of nnz(A) d rises as the "
    "dotted line does, and d^3 shows where n is small",
    "cost_per_iteration_phases": "Where a step of Algorithm 1 (safeguarded) spends its "
    "time, at the largest n of a dense A",
    "cost_laws": "How the seconds that a further entry of A takes grow with d: the exponent with "
    "its interval, 0 by nnz(A) + d^omega; and the relative residuals of two laws of all seconds",
    "cost_sizes": "Processor seconds of a step by size, median of a solve's steps and least of the "
    "repetitions, and exact Newton's over those of Algorithm 1 (safeguarded); the share of rows "
    "that it reads",
}


def families(runs: Sequence[LoggedRun]) -> dict[str, pd.DataFrame]:
    """Return the steps of each family of sizes."""
    return {run.params["experiment.family"]: joined([run]) for run in runs}


def seconds(table: pd.DataFrame, solver: str, column: str = "seconds") -> pd.DataFrame:
    """Return ``n``, ``d``, ``nnz`` and ``seconds`` of a solver, a row a size.

    The least of the repetitions: what else a machine does only ever adds to it.
    """
    part = table[table.solver == solver]
    sizes = ["n", "d", "nnz"]
    found = part.groupby([*sizes, "repetition"])[column].median().groupby(sizes).min()
    return found.rename("seconds").reset_index()


def growths(table: pd.DataFrame) -> dict[str, Growth]:
    """Return the fitted law of each solver."""
    return {solver: Growth(seconds(table, solver)) for solver in COMPARED_SOLVERS}


def draw(runs: Sequence[LoggedRun]) -> Mapping[str, Figure]:
    """Draw seconds an entry of A against d, and where the time goes."""
    found = families(runs)
    figure, axes = new_figure(DOUBLE, columns=max(1, len(found)))
    for axis, (name, table) in zip(axes, found.items(), strict=False):
        for solver in COMPARED_SOLVERS:
            for index, (_, cell) in enumerate(seconds(table, solver).groupby("n")):
                style = look(solver) | {"alpha": 1.0 - 0.25 * index}
                label = solver_label(solver) if index == 0 else None
                axis.plot(cell.d, cell.seconds / cell.nnz, label=label, **style)
        _guide(axis, seconds(table, COMPARED_SOLVERS[0]))
        axis.set(xscale="log", yscale="log", xlabel=f"d ({name} A)")
        ticks_at(axis, sorted(table.d.unique()))
    axes[0].set_ylabel("seconds a step and entry of A")
    legend_above(figure, axes[0])
    figures = {"cost_per_iteration": figure}
    if "dense" in found:
        figures["cost_per_iteration_phases"] = _phases(found["dense"])
    return figures


def _guide(axis: object, sizes: pd.DataFrame) -> None:
    """Draw the slope of nnz(A) d through the last point of exact Newton's largest n."""
    last = sizes[sizes.n == sizes.n.max()].iloc[-1]
    d = np.array(sorted(sizes.d.unique()), dtype=float)
    line = last.seconds / last.nnz * d / last.d
    axis.plot(d, line, label="slope of nnz(A) d", **look("bound"))  # type: ignore[attr-defined]


def _phases(table: pd.DataFrame) -> Figure:
    figure, (axis,) = new_figure(SINGLE)
    part = table[table.n == table.n.max()]
    for index, phase in enumerate(PHASES):
        column = f"seconds_{phase}"
        if column in part and part[column].max() > 0:
            cells = seconds(part, COMPARED_SOLVERS[1], column)
            axis.plot(cells.d, cells.seconds, label=phase.replace("_", " "), **look("", index))
    axis.set(xscale="log", yscale="log", xlabel="d", ylabel="seconds a step and phase")
    ticks_at(axis, sorted(part.d.unique()))
    axis.legend(fontsize=6, ncols=2, loc="lower center", bbox_to_anchor=(0.5, 1.0))
    return figure


def tables(runs: Sequence[LoggedRun]) -> Mapping[str, pd.DataFrame]:
    """Return the law of each solver, and the seconds of every size."""
    laws, sizes = [], []
    for name, table in families(runs).items():
        for solver, growth in growths(table).items():
            exponent, misfits = growth.exponent, growth.misfits
            laws.append(
                {"A": name, "solver": solver, "exponent": exponent.value}
                | {"low": exponent.low, "high": exponent.high}
                | {"residuals, nnz + d^3": misfits["law"], "nnz d + d^3": misfits["rival"]}
                | {"follows nnz + d^3": growth.conclusion.value}
            )
        exact, approx = (seconds(table, solver) for solver in COMPARED_SOLVERS)
        both = exact.merge(approx, on=["n", "d", "nnz"], suffixes=(", exact", ", approximate"))
        read = table.groupby(["n", "d"]).rows_distinct.median().reset_index()
        both = both.merge(read, on=["n", "d"]).rename(columns={"rows_distinct": "rows read"})
        both["rows read"] /= both.n
        ratio = both["seconds, exact"] / both["seconds, approximate"]
        sizes.append(both.assign(ratio=ratio, A=name))
    return {"cost_laws": pd.DataFrame(laws), "cost_sizes": pd.concat(sizes, ignore_index=True)}
