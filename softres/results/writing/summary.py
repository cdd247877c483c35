"""Tables of a sweep: medians, intervals and counts by solver and swept keys."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from softres.results.columns import REPETITIONS
from softres.results.figures import labels
from softres.results.methods import METHOD, instance_keys, with_methods
from softres.results.resample import groups, quantiles

if TYPE_CHECKING:
    from softres.results.runs import Runs

__all__ = ["MEASURES", "Cell", "Measure", "cells", "markdown", "measures_of", "summary"]


@dataclass(frozen=True)
class Measure:
    """A column of the table.

    Attributes
    ----------
    key
        Column of the runs' table.
    title
        Its heading, with the unit.
    factor
        From the logged unit to that of the heading.
    is_time
        Whether it is a time.
    """

    key: str
    title: str
    factor: float = 1.0
    is_time: bool = False


MEASURES = (
    Measure("steps", "steps"),
    Measure("passes", "passes"),
    Measure("solve_seconds", "solver time [s]", is_time=True),
)


@dataclass(frozen=True)
class Cell:
    """A median with its interval, as text; empty where there is none."""

    median: str = ""
    interval: str = ""
    best: bool = False


def summary(runs: Runs) -> pd.DataFrame:
    """Return one row for each method and set of swept keys.

    Columns: the swept keys that make instances (not the repetitions), ``method``; of each measure
    its median over the solved runs, and ``_low`` and ``_high``, their 20-80 % interval; ``solved``
    and ``tried``. Times are of the runs alone whose times can be compared.
    """
    runs = runs.solves
    table = with_methods(runs).assign(solved=runs.solved)
    valid = set(runs.timed.table["run"])
    keys = [*(key for key in instance_keys(runs) if key not in REPETITIONS), METHOD]
    rows = []
    for level, group in groups(table, keys):
        row: dict[str, Any] = dict(zip(keys, level, strict=True))
        solved = group[group["solved"]]
        for measure in MEASURES:
            use = solved[solved["run"].isin(valid)] if measure.is_time else solved
            values = use[measure.key].dropna() if measure.key in use else ()
            ends = quantiles(values, log=False) if len(values) else [np.nan] * 3
            row[f"{measure.key}_low"], row[measure.key], row[f"{measure.key}_high"] = ends
        rows.append({**row, "solved": len(solved), "tried": len(group)})
    order = [name for m in MEASURES for name in (m.key, f"{m.key}_low", f"{m.key}_high")]
    return pd.DataFrame(rows, columns=[*keys, *order, "solved", "tried"])


def measures_of(table: pd.DataFrame) -> list[Measure]:
    """Return the measures that a summary has, times in milliseconds where these are short."""
    found = []
    for measure in MEASURES:
        longest = table[measure.key].max()
        if not np.isfinite(longest):
            continue
        short = measure.is_time and longest < 0.5
        found.append(replace(measure, title="solver time [ms]", factor=1e3) if short else measure)
    return found


def cells(table: pd.DataFrame, measure: Measure) -> list[Cell]:
    """Return the texts of a column; the best of each set of keys is marked.

    Best is the lowest median among the methods that solved the most. A column has one number of
    decimals, that of three digits for its smallest median, and four at most.
    """
    values = table[measure.key] * measure.factor
    smallest = float(values[values > 0].min()) if (values > 0).any() else 1.0
    whole = bool((values.dropna() % 1 == 0).all())
    decimals = 0 if whole else int(np.clip(2 - np.floor(np.log10(smallest)), 0, 4))
    if not whole and not measure.is_time:
        decimals = 1
    best = _best(table, measure)
    texts = []
    for place, row in enumerate(table.to_dict("records")):
        median, low, high = (
            row[f"{measure.key}{end}"] * measure.factor for end in ("", "_low", "_high")
        )
        if not np.isfinite(median):
            texts.append(Cell())
            continue
        ends = [f"{end:,.{decimals}f}" for end in (low, high)]
        interval = "" if ends[0] == ends[1] else f"[{ends[0]}, {ends[1]}]"
        texts.append(Cell(f"{median:,.{decimals}f}", interval, best=bool(best[place])))
    return texts


def _best(table: pd.DataFrame, measure: Measure) -> list[bool]:
    keys = _keys(table)[:-1]
    marks = pd.Series(data=False, index=table.index)
    for _, block in groups(table, keys):
        share = block["solved"] / block["tried"]
        equal = block[(share == share.max()) & block[measure.key].notna()]
        if len(block) > 1 and len(equal):
            marks[equal.index[equal[measure.key] == equal[measure.key].min()]] = True
    return list(marks)


def markdown(table: pd.DataFrame) -> str:
    """Return the table for a README or a notebook."""
    keys, measures = _keys(table), measures_of(table)
    columns = [cells(table, measure) for measure in measures]
    heads = [*(labels.markdown(labels.symbol(key)) for key in keys), *(m.title for m in measures)]
    lines = [f"| {' | '.join([*heads, 'solved'])} |"]
    rules = ["---"] * len(keys) + ["---:"] * (len(measures) + 1)
    lines.append(f"|{'|'.join(rules)}|")
    for place, row in enumerate(table.to_dict("records")):
        parts = [labels.markdown(labels.value(row[key])) for key in keys]
        for column in columns:
            cell = column[place]
            median = f"**{cell.median}**" if cell.best else cell.median or "\u2013"
            parts.append(f"{median} {cell.interval}".strip())
        lines.append(f"| {' | '.join(parts)} | {row['solved']} of {row['tried']} |")
    return "\n".join(lines) + "\n"


def _keys(table: pd.DataFrame) -> list[str]:
    """Return the columns before the measures."""
    names = [str(name) for name in table]
    return names[: names.index(METHOD) + 1]
