"""Convergence by step, by second and by pass: median and band over repetitions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from softres.common.errors import InputError
from softres.results.figures import labels
from softres.results.figures.captions import caption, note_of, runs_a_line
from softres.results.figures.drawing import Drawing, LineChart, draw
from softres.results.figures.encoding import choose
from softres.results.figures.legend import Entry
from softres.results.figures.style import PLAIN, Look, size_of
from softres.results.resample import bands_of_curves, groups

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from softres.results.runs import Runs

__all__ = ["GOAL", "TIMES", "draw_convergence", "timed"]

#: The error that the accuracy eps speaks of: ``|x - x*| / |x0 - x*|``.
GOAL = "relative_error_l2"
#: Columns that are times.
TIMES = ("solve_seconds", "seconds_per_step", "job_seconds")
#: Wider ranges than this are drawn on a logarithmic axis.
_WIDE = 30.0
_MEANINGS = {
    GOAL: "Relative error $|x - x^*| / |x_0 - x^*|$",
    "relative_error_H": "Relative error $|x - x^*|_H / |x_0 - x^*|_H$, $H$ the Hessian at $x^*$,",
    "relative_gradient": "Gradient $|g(x)| / |g(x_0)|$",
}


def draw_convergence(
    runs: Runs,
    x: str = "step",
    y: str = GOAL,
    asked: Mapping[str, str | None] | None = None,
    *,
    width: str = "double",
    venue: str | None = None,
    name: str | None = None,
) -> Drawing:
    """Draw an error, or another column of the traces, over steps, seconds or passes.

    Raises
    ------
    InputError
        If there is no such column, or no run has a trace of it.
    """
    times = x in TIMES or y in TIMES
    shown = timed(runs) if times else runs
    shown.trace_column(x), shown.trace_column(y)
    encoding, size = choose(shown, (x, y), asked), size_of(width, venue)
    columns = ["run", *encoding.keys, *(["eps"] if "eps" in shown.table else [])]
    described = shown.table[list(dict.fromkeys(columns))].assign(solved_=shown.solved)
    traces = shown.traces[list(dict.fromkeys(["run", x, y]))].merge(described, on="run")
    log_y = _is_log(traces[y])
    log_x = _log_x(traces, encoding.hue, x)
    bands = bands_of_curves(traces, encoding.keys, x, y, log_x=log_x is True, log_y=log_y)
    if not len(bands):
        raise InputError(f"{y}: no run has a trace of it that can be drawn")
    goal = float(traces["eps"].iloc[0]) if _one_goal(traces, y) else None
    missed = _missed(traces, encoding.keys)

    def finish(axes: Axes, part: pd.DataFrame, colours: Look) -> None:
        if goal is not None:
            axes.axhline(goal, color="0.45", linewidth=0.7, linestyle=(0, (1, 1.5)), zorder=1)
        for level, line in groups(part, encoding.keys):
            if tuple(map(str, level)) in missed:
                hue = line[encoding.hue].iloc[0] if encoding.hue else None
                colour = colours.colours.get(hue, PLAIN)
                last = line.iloc[-1]
                axes.plot(last[x], last["median"], "x", color=colour, ms=5, mew=1.3, clip_on=False)

    legend = []
    if goal is not None:
        legend.append(Entry(rf"goal $\varepsilon$ = {labels.value(goal)}", "0.45", (1, 1.5)))
    if missed:
        legend.append(Entry("missed the goal", "0.3", marker="x", line=False))
    counts = (
        bands.groupby(encoding.keys, dropna=False)["runs"].first()
        if encoding.keys
        else (bands["runs"][:1])
    )
    chart = LineChart(
        x,
        "median",
        labels.axis(x),
        labels.axis(y),
        log_x,
        log_y,
        note=note_of(shown, encoding, runs_a_line(counts)),
        extra=tuple(legend),
        finish=finish,
    )
    grid = draw(bands, chart, encoding, size)
    what = _MEANINGS.get(y, labels.axis(y).partition(" [")[0].capitalize())
    sentences = [
        f"{what} over {labels.axis(x).partition(' [')[0]}.",
        f"Line: median; band: 20–80 % of the runs of a line ({runs_a_line(counts)}), interpolated "
        "between steps on a common grid; a run that has ended keeps its last value.",
    ]
    text = caption(shown, sentences, encoding, times=times, left_out=len(runs) - len(shown))
    return Drawing(name or f"{y}_by_{x}", grid, text, bands, size)


def timed(runs: Runs) -> Runs:
    """Return the runs whose times can be compared.

    Raises
    ------
    InputError
        If there is none.
    """
    if not len(runs.timed):
        raise InputError("all runs shared their machine (timing_valid=false): no times to compare")
    return runs.timed


def _is_log(values: pd.Series) -> bool:
    finite = values[np.isfinite(values) & (values > 0)]
    none_below = not (values < 0).any()
    return bool(none_below and len(finite) and finite.max() > _WIDE * finite.min())


def _log_x(traces: pd.DataFrame, hue: str | None, x: str) -> bool | str:
    """Return the scale on which both the quickest and the slowest can be read."""
    if x == "solve_seconds":
        return True
    ends = traces.groupby([hue], dropna=False)[x].max() if hue else traces[x].tail(1)
    if float(ends.max()) <= 8 * max(1.0, float(ends.min())):
        return False
    return "symlog" if float(traces[x].min()) <= 0 else True


def _one_goal(traces: pd.DataFrame, y: str) -> bool:
    return y == GOAL and "eps" in traces and traces["eps"].nunique() == 1


def _missed(traces: pd.DataFrame, keys: list[str]) -> set[tuple[str, ...]]:
    """Return the groups of which a run did not reach its goal."""
    if not keys:
        return set() if traces["solved_"].all() else {()}
    frame = traces.assign(**{key: traces[key].astype(object).fillna("none") for key in keys})
    solved = frame.groupby(keys)["solved_"].all()
    return {
        tuple(map(str, level if isinstance(level, tuple) else (level,)))
        for level in solved[~solved].index
    }
