"""The race in tables: times to each level, who solves what, and the ratios that matter."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from math import isfinite, isnan

import numpy as np
import pandas as pd

from experiments.race.profile import Ratios, ratios, times

__all__ = [
    "contest",
    "level_table",
    "markdown",
    "order",
    "overview",
    "sentence",
    "status_table",
]

#: What the ratios are taken to.
LEVEL = 1e-8
#: From which size on the second ratio counts: where a Gram matrix is the bulk of the work.
LARGE_D, LARGE_RATIO = 500, 20


def order(table: pd.DataFrame) -> list[str]:
    """Return the contestants: ours first, then Newton by hand, then the packages."""
    sides = {"ours": 0, "hand": 1, "outside": 2}
    known = table[["contestant", "side"]].drop_duplicates()
    ranked = sorted(zip(known.contestant, known.side, strict=True), key=lambda pair: sides[pair[1]])
    return [name for name, _ in ranked]


def level_table(table: pd.DataFrame, level: float) -> pd.DataFrame:
    """Return the seconds to a level, passes in brackets; a miss shows the least error instead.

    A row per instance, a column per contestant. ``table`` is that of
    :func:`experiments.race.profile.medians`.
    """
    at = table[np.isclose(table.level, level, rtol=1e-6, atol=0.0)]
    cells = at.assign(cell=[_cell(row) for row in at.to_dict("records")])
    wide = cells.pivot(index="instance", columns="contestant", values="cell")
    wide = wide.reindex(index=list(dict.fromkeys(at.instance)), columns=order(table))
    return wide.fillna("not run").rename_axis(columns=None).reset_index()


def _cell(row: Mapping[Hashable, object]) -> str:
    seconds, best = float(str(row["seconds"])), float(str(row["best_error"]))
    if isfinite(seconds):
        passes, grams = int(float(str(row["passes"]))), int(float(str(row["grams"])))
        work = f"{passes}" + (f"+{grams}G" if grams else "")
        return f"{seconds:.3g} ({work})"
    status = str(row["status"])
    if not isfinite(best):
        return f"miss: {status}"
    if status.startswith("another"):
        return f"miss: {status}"
    return f"miss ({best:.0e})"


def status_table(table: pd.DataFrame) -> pd.DataFrame:
    """Return how the misses of the hardest level ended, a row per contestant and ending."""
    hardest = table[table["level"] == table.groupby("instance")["level"].transform("min")]
    missed = hardest[hardest.seconds.isna()]
    if missed.empty:
        return pd.DataFrame(columns=["contestant", "ending", "instances", "median least error"])
    ending = missed.status.str.replace(r", loss .*", "", regex=True)
    groups = missed.assign(ending=ending).groupby(["contestant", "ending"], sort=False)
    found = groups.agg(instances=("instance", "size"), best=("best_error", "median"))
    found = found.reindex(order(table), level="contestant")
    return found.rename(columns={"best": "median least error"}).reset_index()


def overview(table: pd.DataFrame, levels: Sequence[float]) -> pd.DataFrame:
    """Return a row per contestant: what it solves, and its time over Newton by hand's.

    Solved are so many of the instances that it was run on. The ratio is a geometric mean over
    those that both solve to 1e-8.
    """
    rows = []
    base = times(table, LEVEL)
    for name in order(table):
        mine = table[table.contestant == name]
        row: dict[str, object] = {"contestant": name}
        for level in levels:
            at = mine[np.isclose(mine.level, level, rtol=1e-6, atol=0.0)]
            row[f"{level:.0e}"] = f"{int(at.seconds.notna().sum())}/{len(at)}"
        against = _against(base, name, "hand_newton")
        row["time / hand"] = "" if against is None or not against.count else f"{against.mean:.3g}"
        row["prepare s"] = f"{mine.prepare_seconds.median():.2g}"
        rows.append(row)
    return pd.DataFrame(rows).astype(str)


def _against(seconds: pd.DataFrame, name: str, base: str) -> Ratios | None:
    if name not in seconds.columns or base not in seconds.columns:
        return None
    return ratios(seconds[base], seconds[name])


def contest(table: pd.DataFrame, ours: str, level: float = LEVEL) -> list[tuple[str, Ratios]]:
    """Return how many times as long as ours others take, each with its words.

    Newton by hand, on all instances and on those with a large A; and whichever package is the
    best on an instance. Empty where ours has not run.
    """
    seconds = times(table, level)
    if ours not in seconds.columns:
        return []
    found = []
    shape = table.drop_duplicates("instance").set_index("instance").loc[seconds.index]
    large = (shape.d >= LARGE_D) & (shape.n >= LARGE_RATIO * shape.d)
    if "hand_newton" in seconds.columns:
        hand = seconds["hand_newton"]
        found.append((f"hand_newton, to {level:g}", ratios(seconds[ours], hand)))
        found.append(
            (
                f"hand_newton, to {level:g}, d >= {LARGE_D} and n/d >= {LARGE_RATIO}",
                ratios(seconds[ours][large], hand[large]),
            )
        )
    outside = list(dict.fromkeys(table[table.side == "outside"].contestant))
    if outside:
        best = seconds[[name for name in outside if name in seconds.columns]].min(axis=1)
        found.append((f"the best package, to {level:g}", ratios(seconds[ours], best)))
    return found


def sentence(ours: str, other: str, found: Ratios) -> str:
    """Return a ratio in words."""
    if isnan(found.mean):
        line = f"{other}: no instance that both solve"
    else:
        line = (
            f"{other}: takes {found.mean:.3g} times as long as {ours} (geometric mean of "
            f"{found.count}; least {found.worst:.3g}, most {found.best:.3g})"
        )
    if found.only_first or found.only_second:
        line += f"; solved by {ours} alone {found.only_first}, by the other {found.only_second}"
    return line + "."


def markdown(table: pd.DataFrame) -> str:
    """Return a table of texts in Markdown."""
    lines = ["| " + " | ".join(map(str, table.columns)) + " |", "|" + "---|" * len(table.columns)]
    for row in table.itertuples(index=False):
        lines.append("| " + " | ".join(str(cell).replace("|", "\\|") for cell in row) + " |")
    return "\n".join(lines) + "\n"
