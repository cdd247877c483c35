"""Empirical distribution of runtimes over pairs of an instance and a target.

N. Hansen, A. Auger, R. Ros, O. Mersmann, T. Tušar and D. Brockhoff, COCO: a platform for comparing
continuous optimizers in a black-box setting, Optimization Methods and Software 36 (2021), 114-144.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from softres.results.figures import labels
from softres.results.figures.captions import caption, counted, runs_a_line
from softres.results.figures.convergence import GOAL
from softres.results.figures.drawing import Drawing, LineChart, draw
from softres.results.figures.encoding import Encoding
from softres.results.figures.style import Size, size_of
from softres.results.methods import instance_keys, method_key, with_methods
from softres.results.resample import groups

if TYPE_CHECKING:
    from seaborn import FacetGrid

    from softres.results.runs import Runs

__all__ = ["TARGETS", "draw_runtimes", "draw_shares", "hitting_times", "stairs"]

#: Errors to reach.
TARGETS = tuple(10.0**-power for power in range(1, 13))
_CLOCKS = {"passes": False, "solve_seconds": True}
_PANEL = "clock"


def hitting_times(
    traces: pd.DataFrame, clock: str, error: str = GOAL, targets: Sequence[float] = TARGETS
) -> pd.DataFrame:
    """Return what each run had spent when it first reached each target.

    Parameters
    ----------
    traces
        One row a step, in the order of the steps.
    clock
        Column of what is spent.
    error
        Column of the error.
    targets
        Errors to reach, the largest first.

    Returns
    -------
    One row a run, one column a target; infinite where it was never reached.
    """
    rows = {}
    for run, trace in traces.groupby("run", sort=False):
        errors, spent = trace[error].to_numpy(float), trace[clock].to_numpy(float)
        best = np.minimum.accumulate(np.where(np.isfinite(errors), errors, np.inf))
        # The best so far does not rise: the first place below a target is found by bisection.
        places = np.searchsorted(-best, -np.asarray(targets), side="left")
        rows[run] = np.append(spent, np.inf)[places]
    return pd.DataFrame.from_dict(rows, orient="index", columns=list(targets))


def draw_runtimes(runs: Runs, *, width: str = "double", venue: str | None = None) -> Drawing | None:
    """Draw the share of (instance, target) pairs reached, by pass and by second.

    Returns
    -------
    None where no run has a trace with an error.
    """
    key = method_key(runs)
    parts = []
    for clock, is_time in _CLOCKS.items():
        shown = runs.timed if is_time else runs
        if not {clock, GOAL} <= set(shown.traces):
            continue
        methods = with_methods(shown).set_index("run")
        times = hitting_times(shown.traces, clock)
        end = 1.2 * float(times.to_numpy()[np.isfinite(times.to_numpy())].max(initial=0.0))
        for level, group in groups(methods, [key] if key else []):
            steps = stairs(times.reindex(group.index).to_numpy().ravel(), end)
            names = {key: level[0]} if key else {}
            parts.append(steps.assign(**{_PANEL: clock, **names}))
    if not parts:
        return None
    data, size = pd.concat(parts, ignore_index=True), size_of(width, venue)
    encoding = Encoding(hue=key, style=key, col=_PANEL)
    over = [labels.symbol(name) for name in instance_keys(runs)]
    counts = with_methods(runs).groupby(key).size() if key else pd.Series([len(runs)])
    each = runs_a_line(counts * len(TARGETS)).replace(" a line", " pairs a line")
    titles = {clock: labels.axis(clock) for clock in _CLOCKS}
    note = f"{counted(len(runs))}, {each}" + (f"; over {', '.join(over)}" if over else "")
    grid = draw_shares(data, "spent", titles, "pairs reached", note, encoding, size)
    sentences = [
        "Empirical distribution of runtimes: the share of pairs of an instance and a target that "
        f"are reached within what is spent. Targets: relative error {labels.value(TARGETS[0])} to "
        f"{labels.value(TARGETS[-1])}, one a decade; {each}.",
    ]
    if "eps" in runs.table and float(runs.table["eps"].max()) > TARGETS[-1]:
        goals = sorted(runs.table["eps"].unique(), reverse=True)
        asked = ", ".join(labels.value(goal) for goal in goals)
        sentences.append(
            f"A run stops at the accuracy it was asked for ({asked}): what it reaches "
            "beyond is by its last step."
        )
    left_out = len(runs) - len(runs.timed)
    text = caption(runs, sentences, encoding, times=True, left_out=left_out)
    return Drawing("runtime", grid, text, data, size)


def draw_shares(
    data: pd.DataFrame,
    x: str,
    titles: Mapping[str, str],
    shared: str,
    note: str,
    encoding: Encoding,
    size: Size,
) -> FacetGrid:
    """Draw the column ``share`` as stairs over x, from none to all, a panel for each title.

    Parameters
    ----------
    titles
        Titles of the axes of x, by the panels' levels in ``encoding.col``, in order.
    shared
        What it is the share of.
    note
        Small print below the panels.
    """
    chart = LineChart(
        x,
        "share",
        titles,
        f"share of {shared}",
        log_x=True,
        mark="spread",
        steps=True,
        share_x=False,
        note=note,
        columns=tuple(titles),
    )
    grid = draw(data, chart, encoding, size)
    for axes in grid.axes.flat:
        axes.set_ylim(-0.03, 1.03)
    return grid


def stairs(spent: np.ndarray, end: float) -> pd.DataFrame:
    """Return the distribution of what was spent, to the end that all methods share."""
    reached = np.sort(spent[np.isfinite(spent) & (spent > 0)])
    share = np.arange(1, len(reached) + 1) / max(1, len(spent))
    if not len(reached):
        return pd.DataFrame({"spent": [end], "share": [0.0]})
    x = np.concatenate([[reached[0]], reached, [end]])
    return pd.DataFrame({"spent": x, "share": np.concatenate([[0.0], share, [share[-1]]])})
