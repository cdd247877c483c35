"""Performance profiles: the share of instances solved within a factor of the best.

E. D. Dolan and J. J. Moré, Benchmarking optimization software with performance profiles,
Mathematical Programming 91 (2002), 201-213.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from softres.results.figures import labels
from softres.results.figures.captions import caption, counted
from softres.results.figures.drawing import Drawing
from softres.results.figures.encoding import Encoding
from softres.results.figures.runtime import draw_shares
from softres.results.figures.style import size_of
from softres.results.figures.ticks import ratio_ticks
from softres.results.methods import method_key, with_methods

if TYPE_CHECKING:
    from softres.results.runs import Runs

__all__ = ["draw_profile", "performance_profile"]

_CLOCKS = {"passes": False, "solve_seconds": True}
_PANEL = "measure"


def performance_profile(costs: pd.DataFrame) -> pd.DataFrame:
    """Return the stairs of each method.

    Parameters
    ----------
    costs
        One row an instance, one column a method; infinite where it did not solve it, missing where
        it was not run.

    Returns
    -------
    Columns: ``method``, ``ratio`` (to the best method on an instance, from 1 on), ``share`` of the
    instances it was run on that are solved within it. All methods end at the same ratio.
    """
    values = costs.to_numpy(dtype=float)
    values = np.where(np.isfinite(values), np.maximum(values, np.finfo(float).tiny), np.inf)
    best = values.min(axis=1, keepdims=True)
    ratios = np.divide(values, best, out=np.full_like(values, np.inf), where=np.isfinite(values))
    finite = ratios[np.isfinite(ratios)]
    end = max(2.0, 1.1 * float(finite.max())) if len(finite) else 2.0
    parts = []
    for place, method in enumerate(costs.columns):
        own = np.sort(ratios[np.isfinite(ratios[:, place]), place])
        run = max(1, int(costs[method].notna().sum()))
        share = np.arange(1, len(own) + 1) / run
        at_best = float((own <= 1.0).sum()) / run
        beyond = own > 1.0
        x = np.concatenate([[1.0], own[beyond], [end]])
        y = np.concatenate([[at_best], share[beyond], [share[-1] if len(share) else 0.0]])
        parts.append(pd.DataFrame({"method": method, "ratio": x, "share": y}))
    return pd.concat(parts, ignore_index=True)


def draw_profile(runs: Runs, *, width: str = "double", venue: str | None = None) -> Drawing | None:
    """Draw performance profiles by passes and by seconds.

    Returns
    -------
    None where there are not two methods that tried the same two instances.
    """
    key = method_key(runs)
    if key is None:
        return None
    parts, cases = [], []
    for clock, is_time in _CLOCKS.items():
        shown = runs.timed if is_time else runs
        table = with_methods(shown)
        if clock not in table or table[key].nunique() < 2:
            continue
        costs = table.assign(cost=table[clock].where(shown.solved, np.inf).fillna(np.inf))
        wide = costs.pivot_table(index="case", columns=key, values="cost", aggfunc="median")
        wide = wide.dropna()  # what some method never tried compares nothing
        if len(wide) < 2:
            continue
        cases.append(len(wide))
        stairs = performance_profile(wide).rename(columns={"method": key})
        parts.append(stairs.assign(**{_PANEL: clock}))
    if not parts:
        return None
    data, size = pd.concat(parts, ignore_index=True), size_of(width, venue)
    encoding = Encoding(hue=key, style=key, col=_PANEL)
    instances = counted(min(cases), "instance")
    names = {clock: labels.axis(clock).partition(" [")[0] for clock in _CLOCKS}
    titles = {clock: f"{name}, ratio to the best" for clock, name in names.items()}
    note = f"{counted(len(runs))} on {instances}"
    grid = draw_shares(data, "ratio", titles, "instances", note, encoding, size)
    for axes in grid.axes.flat:
        ratio_ticks(axes)
    sentences = [
        "Performance profile: the share of instances that each method solves within a factor of "
        f"the best method, on the {instances} that all of them tried. At 1 it is the share on "
        "which a method is the best; at the right end, the share that it solves at all.",
    ]
    left_out = len(runs) - len(runs.timed)
    text = caption(runs, sentences, encoding, times=True, left_out=left_out)
    return Drawing("profile", grid, text, data, size)
