"""Convergence of each solver over steps and over solver seconds; figures without a verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from experiments.kit.labels import SOLVER_LABELS
from experiments.kit.runs import LoggedRun
from experiments.kit.style import DOUBLE, SINGLE, look, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["CAPTIONS", "band", "draw"]

Vector = npt.NDArray[np.float64]

#: Below this an error is rounding.
FLOOR = 1e-15
POINTS = 60

_BAND = "lines are medians, bands the 20% to 80% quantiles of the repetitions"
CAPTIONS = {
    "steps": "Error relative to the start, |x - x*| in the Euclidean norm (left) and in the norm "
    f"of the Hessian at x* (right), against steps; {_BAND}",
    "seconds": f"The same against seconds of solver time, one BLAS thread; {_BAND}",
    "seconds_H": f"Error in the norm of the Hessian at x* against seconds of solver time; {_BAND}",
}


def band(traces: Sequence[tuple[Vector, Vector]], grid: Vector) -> tuple[Vector, Vector, Vector]:
    """Return median, 20% and 80% quantile of repetitions on a common grid.

    Parameters
    ----------
    traces
        For each repetition where it was and its error, both of shape (steps,).
    grid
        Where they are compared.

    Notes
    -----
    An error holds until the next point of its trace: nobody has the next iterate before its step
    is done. Behind its last point a solver keeps its last error.
    """
    rows = []
    for x, error in traces:
        at = np.searchsorted(x, grid, side="right") - 1
        rows.append(np.log10(np.maximum(error, FLOOR))[np.maximum(at, 0)])
    low, middle, high = np.quantile(np.array(rows), [0.2, 0.5, 0.8], axis=0)
    return 10.0**middle, 10.0**low, 10.0**high


def draw(runs: Sequence[LoggedRun]) -> Mapping[str, Figure]:
    """Draw errors in both norms against steps, and against seconds where timings are valid."""
    timed = [run for run in runs if run.tags.get("timing_valid", "true") == "true"]
    figures = {"steps": _both(runs, "step")}
    if timed:
        figures["seconds"] = _both(timed, "solve_seconds")
        figure, axes = new_figure(SINGLE)
        _panel(axes[0], timed, "solve_seconds", "H")
        axes[0].legend()
        figures["seconds_H"] = figure
    return figures


def _both(runs: Sequence[LoggedRun], by: str) -> Figure:
    figure, axes = new_figure(DOUBLE, 2.5, columns=2)
    for axis, norm in zip(axes, ("l2", "H"), strict=True):
        _panel(axis, runs, by, norm)
    axes[0].legend()
    return figure


def _panel(axis: Axes, runs: Sequence[LoggedRun], by: str, norm: str) -> None:
    repetitions = 0
    for solver in SOLVER_LABELS:
        traces = [
            (_column(run, by), _column(run, f"relative_error_{norm}"))
            for run in runs
            if run.params["solver"] == solver
        ]
        if not traces:
            continue
        repetitions = max(repetitions, len(traces))
        last = float(np.median([x[-1] for x, _ in traces]))
        if by == "step":
            # Steps start at 0, which a logarithmic axis has no place for: shown as 0.7.
            grid = np.unique(np.r_[0.0, np.round(np.geomspace(1.0, max(1.0, last), POINTS))])
            places = np.where(grid > 0, grid, 0.7)
        else:
            first = float(np.median([x[1] if len(x) > 1 else x[0] for x, _ in traces]))
            grid = places = np.geomspace(0.5 * first, max(last, first), 4 * POINTS)
        middle, low, high = band(traces, grid)
        style = look(solver)
        sparse = max(1, len(places) // 8)
        axis.plot(places, middle, label=SOLVER_LABELS[solver], markevery=sparse, **style)
        axis.fill_between(places, low, high, color=style["color"], alpha=0.2, linewidth=0)
    axis.set_xscale("log")
    axis.set_yscale("log")
    axis.set_xlabel("step (start drawn at 0.7)" if by == "step" else "solver time (s)")
    measure = r"$|x-x^*|$" if norm == "l2" else r"$|x-x^*|_{H}$"
    axis.set_ylabel(f"{measure}, relative")
    axis.text(
        0.98, 0.97, f"{repetitions} repetitions", transform=axis.transAxes, ha="right", va="top",
        fontsize=7, color="0.35",
    )  # fmt: skip


def _column(run: LoggedRun, name: str) -> Vector:
    return run.table[name].to_numpy(dtype=float)
