"""The measurement that claims of the form "this figure is at most that bound" share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd

from experiments._bounded import keep_worst, rows
from experiments._regions import Setting, settings_of
from experiments._search import Found, search
from softres.harness.probe import ProbeContext

__all__ = ["Bounds", "measure_bounded"]

#: Worst-case, instance-wise and recalled bounds, each by the name of its figure.
Bounds = tuple[Mapping[str, float], Mapping[str, float], Mapping[str, float]]


def measure_bounded(
    context: ProbeContext,
    points: int,
    figures: Callable[[Setting], Mapping[str, Callable[..., Any]]],
    bounds: Callable[[Setting], Bounds],
    complete: Callable[[Setting, Found, dict[str, Any]], None] | None = None,
) -> pd.DataFrame:
    """Search for the largest value of every figure; one row a figure and matrix.

    Parameters
    ----------
    context
        The run; its options say how many starts and iterations the search has.
    points
        Points a figure is a function of: x, or x and y.
    figures
        The figures of a setting, see :func:`experiments._search.search`.
    bounds
        What they are held against.
    complete
        Adds to a row what else is to be known at the point found.
    """
    own, rng = context.settings.experiment, context.rng("search")
    found_rows, arrays = [], {}
    for setting in settings_of(context):
        found = search(
            setting,
            figures(setting),
            points,
            rng,
            starts=int(own["starts"]),
            iterations=int(own["iterations"]),
        )
        case_rows = rows(setting, found, *bounds(setting))
        if complete is not None:
            for row in case_rows:
                complete(setting, found[row["part"]], row)
        found_rows += case_rows
        for name, case in found.items():
            at = {"x": case.x} if points == 1 else {"x": case.x, "y": case.y}
            arrays[name, setting.kind, setting.instance] = {"A": setting.A, **at, "b": case.b}
    table = pd.DataFrame(found_rows)
    keep_worst(context, table, arrays)
    return table
