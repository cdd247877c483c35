"""The measurement that claims of the form "this figure is at most that bound" share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import log10
from typing import Any

import numpy as np
import pandas as pd

from experiments.claims.bounds.adversary import WorstCase, search
from experiments.claims.bounds.regions import Setting, settings_of
from softres.harness.probe import ProbeContext

__all__ = ["FILES", "Bounds", "log", "measure_bounded"]

#: Worst-case, instance-wise and recalled bounds, each by the name of its figure.
Bounds = tuple[Mapping[str, float], Mapping[str, float], Mapping[str, float]]
#: By the column of a bound: the name under which the case nearest to it is kept.
FILES = {"bound": "worst", "instance_bound": "worst_instance", "recalled": "worst_recalled"}


def measure_bounded(
    context: ProbeContext,
    points: int,
    figures: Callable[[Setting], Mapping[str, Callable[..., Any]]],
    bounds: Callable[[Setting], Bounds],
    complete: Callable[[Setting, WorstCase, dict[str, Any]], None] | None = None,
) -> pd.DataFrame:
    """Search for the largest value of every figure; one row a figure and matrix.

    Parameters
    ----------
    context
        The run; its options say how many starts and iterations the search has.
    points
        Points a figure is a function of: x, or x and y.
    figures
        The figures of a setting, see :func:`experiments.claims.bounds.adversary.search`.
    bounds
        What they are held against.
    complete
        Adds to a row what else is to be known at the point found.
    """
    own = context.settings.experiment
    found_rows, arrays = [], {}
    for setting in settings_of(context):
        # Of its own: what is found on an instance does not depend on how many there are.
        rng = context.rng(f"search {setting.kind} {setting.instance}")
        found = search(
            setting,
            figures(setting),
            points,
            rng,
            starts=int(own["starts"]),
            iterations=int(own["iterations"]),
        )
        case_rows = _rows(setting, found, *bounds(setting))
        if complete is not None:
            for row in case_rows:
                complete(setting, found[row["part"]], row)
        found_rows += case_rows
        for name, case in found.items():
            at = {"x": case.x} if points == 1 else {"x": case.x, "y": case.y}
            arrays[name, setting.kind, setting.instance] = {"A": setting.A, **at, "b": case.b}
    table = pd.DataFrame(found_rows)
    _keep_worst(context, table, arrays)
    return table


def log(value: float) -> float:
    """Return log10 of a value >= 0; -300 for 0, so that a table can be plotted and averaged."""
    return log10(value) if not value <= 1e-300 else -300.0


def _rows(
    setting: Setting,
    found: Mapping[str, WorstCase],
    bounds: Mapping[str, float],
    instance_bounds: Mapping[str, float],
    recalled: Mapping[str, float],
) -> list[dict[str, Any]]:
    """Return one row a figure that has an admissible point, values as log10."""
    return [
        {
            "part": name,
            "kind": setting.kind,
            "instance": setting.instance,
            "at_random": log(case.at_random),
            "measured": log(case.value),
            "bound": log(bounds[name]),
            "instance_bound": log(instance_bounds[name]),
            "recalled": log(recalled.get(name, np.nan)),
        }
        for name, case in found.items()
        if np.isfinite(case.value)
    ]


def _keep_worst(
    context: ProbeContext, table: pd.DataFrame, arrays: Mapping[tuple[str, str, int], Any]
) -> None:
    """Keep the arrays of the case nearest to its bound, or furthest above, for each version."""
    for column, file in FILES.items():
        excess = (table["measured"] - table[column]).dropna()
        if len(excess):
            row = table.loc[excess.index].iloc[int(excess.to_numpy().argmax())]
            context.keep(file, **arrays[row["part"], row["kind"], row["instance"]])
