"""Which points of a curve are recorded."""

from __future__ import annotations

import math
import re
from bisect import bisect_right
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache
from posixpath import normpath

__all__ = ["MAX_POINTS", "TIME_SUFFIX", "MetricPoint", "check_metric_name", "resample", "select"]

MAX_POINTS = 320
"""Most points of one curve: the user interface draws no more."""

TIME_SUFFIX = "_by_microseconds"
"""Ends the name of a curve whose steps are microseconds of solve time."""

_PER_DECADE = 40
_DENSE_STEPS = 128
_STEPS_PER_DECADE = 45
_METRIC_NAME = re.compile(r"[A-Za-z0-9_][\w\-. /]{0,249}", re.ASCII)


@dataclass(frozen=True)
class MetricPoint:
    """One value of one metric.

    Attributes
    ----------
    name, value
        Metric and its finite value.
    step
        Iteration.
    timestamp
        Unix time, ms.
    """

    name: str
    value: float
    step: int
    timestamp: int


def check_metric_name(name: str) -> None:
    """Refuse a name that a store would reject or rename.

    Raises
    ------
    ValueError
        If ``name`` has other characters than letters, digits, ``_ - . /`` and spaces, or reads
        as a path that is not in its shortest form.
    """
    if not _METRIC_NAME.fullmatch(name) or normpath(name) != name:
        raise ValueError(
            f"metric name {name!r}: allowed are up to 250 letters, digits, '_', '-', '.', ' ' "
            "and single '/' inside"
        )


@lru_cache(maxsize=8)
def _shared_rows(last: int) -> frozenset[int]:
    """Return the rows up to ``last`` that every run records: all at first, then 45 to a decade."""
    per_decade = _STEPS_PER_DECADE
    while True:
        grid = set(range(min(last, _DENSE_STEPS) + 1))
        if last > _DENSE_STEPS:
            decades = math.log10(last / _DENSE_STEPS)
            logarithmic = range(1, math.floor(per_decade * decades) + 1)
            grid |= {round(_DENSE_STEPS * 10 ** (j / per_decade)) for j in logarithmic}
        if len(grid) < MAX_POINTS:  # one place is left for the last row
            return frozenset(grid)
        per_decade //= 2


def select(
    steps: Sequence[int], values: Sequence[float], sent: Collection[int], *, final: bool
) -> list[int]:
    """Choose the rows of a curve to send now.

    All runs record the same rows, each as far as it goes: the user interface takes the mean over
    a group of runs at each step, and it would jump between steps that only some of them have.

    Parameters
    ----------
    steps, values
        The curve so far, all rows.
    sent
        Steps that were sent before; they are not sent again.
    final
        ``True`` also sends the last finite row.

    Returns
    -------
    Row numbers in increasing order.
    """
    finite = [row for row, value in enumerate(values) if math.isfinite(value)]
    if not finite:
        return []
    if len(finite) <= min(MAX_POINTS, len(values) // 2):
        return [row for row in finite if steps[row] not in sent]  # taken now and then: all of it
    # A power of ten bounds the grid, so that it does not depend on where this run is.
    shared = _shared_rows(10 ** max(6, math.ceil(math.log10(max(1, finite[-1])))))
    rows: list[int] = []
    seen = set(sent)
    for row in finite:
        last = final and row == finite[-1]
        if steps[row] not in seen and (last or row == finite[0] or row in shared):
            seen.add(steps[row])
            rows.append(row)
    return rows


def resample(seconds: Sequence[float], values: Sequence[float]) -> list[tuple[int, float]]:
    """Return a curve over solve time, on a grid that all runs share.

    The user interface takes means over a group of runs at equal steps. It can draw a group over
    time only if the steps are times, and the same ones in every run, whether it takes a
    millisecond or an hour: here 40 to a decade of microseconds, each 6 % after the one before.

    Parameters
    ----------
    seconds, values
        Solve time, s, not decreasing, and the value reached then; pairs that are not finite are
        left out.

    Returns
    -------
    Time in microseconds and the last value reached by then; at most :data:`MAX_POINTS`. The first
    pair keeps its time, the last value is held to the end of its decade.
    """
    pairs = [
        (math.ceil(1e6 * time), value)
        for time, value in zip(seconds, values, strict=True)
        if math.isfinite(time) and math.isfinite(value)
    ]
    if not pairs:
        return []
    times = [time for time, _ in pairs]
    start, end = times[0], times[-1]
    per_decade = _PER_DECADE
    while True:
        # Nothing happens before the second row.
        first = per_decade * math.floor(math.log10(max(1, times[min(1, len(times) - 1)])))
        # The last value is held to the end of its decade: a mean over runs that end at different
        # times would jump where each of them leaves it.
        last = per_decade * math.ceil(math.log10(max(1, end)))
        grid = {round(10 ** (j / per_decade)) for j in range(first, last + 1)}
        grid = {time for time in grid if time > start} | {start}
        if len(grid) <= MAX_POINTS:
            return [(time, pairs[bisect_right(times, time) - 1][1]) for time in sorted(grid)]
        per_decade //= 2
