"""The race's times: medians, a column for each contestant, and ratios of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

__all__ = ["Ratios", "medians", "ratios", "times"]


def medians(rows: pd.DataFrame, seconds: str = "seconds") -> pd.DataFrame:
    """Return one row per instance, contestant and level: medians over the repeats.

    Parameters
    ----------
    rows
        As in :data:`experiments.race.results.COLUMNS`.
    seconds
        The column of the clock that counts; it becomes ``seconds``.

    Returns
    -------
    ``seconds``, ``passes`` and ``grams`` are missing where any repeat missed the level;
    ``prepare_seconds`` is the first run's, ``runs`` the number of repeats. The repeats are of one
    ``code``, see :func:`experiments.race.code.of_one_code`.
    """
    keys = ["instance", "kind", "n", "d", "contestant", "side", "level"]
    ordered = rows.sort_values("repeat", kind="stable").assign(seconds=rows[seconds])
    groups = ordered.groupby(keys, sort=False)
    table = groups.agg(
        seconds=("seconds", "median"),
        passes=("passes", "median"),
        grams=("grams", "median"),
        best_error=("best_error", "max"),
        status=("status", "first"),
        prepare_seconds=("prepare_seconds", "first"),
        code=("code", "first"),
        runs=("repeat", "nunique"),
        reached=("seconds", "count"),
        tried=("seconds", "size"),
    )
    missed = table.reached < table.tried
    table.loc[missed, ["seconds", "passes", "grams"]] = np.nan
    return table.drop(columns=["reached", "tried"]).reset_index()


def times(table: pd.DataFrame, level: float) -> pd.DataFrame:
    """Return the seconds to a level: a row per instance, a column per contestant.

    A miss is infinite; nan is where a contestant was not run. Instances on which the level could
    not be measured are left out.
    """
    at = table[np.isclose(table.level, level, rtol=1e-6, atol=0.0)]
    at = at.assign(seconds=at.seconds.fillna(np.inf))
    return at.pivot(index="instance", columns="contestant", values="seconds")


@dataclass(frozen=True)
class Ratios:
    """How many times one set of times is longer than another, over the instances both solve.

    Attributes
    ----------
    worst, mean, best
        Least, geometric mean and largest of the ratios; nan where there are none.
    count
        Instances in both.
    only_first, only_second
        Instances that only the one or only the other solves, of those that both were run on.
    """

    worst: float
    mean: float
    best: float
    count: int
    only_first: int
    only_second: int


def ratios(
    first: Sequence[float] | pd.Series[float], second: Sequence[float] | pd.Series[float]
) -> Ratios:
    """Return the ratios second / first: above 1 where the first is faster.

    As in :func:`times`, a miss is infinite and nan is no run.
    """
    a, b = np.asarray(first, float), np.asarray(second, float)
    both = np.isfinite(a) & np.isfinite(b)
    only_first = int(np.sum(np.isfinite(a) & np.isinf(b)))
    only_second = int(np.sum(np.isfinite(b) & np.isinf(a)))
    if not both.any():
        return Ratios(np.nan, np.nan, np.nan, 0, only_first, only_second)
    ratio = b[both] / a[both]
    mean = float(np.exp(np.log(ratio).mean()))
    return Ratios(
        float(ratio.min()), mean, float(ratio.max()), int(both.sum()), only_first, only_second
    )
