"""Which points of a curve are recorded."""

from __future__ import annotations

import math
import re
from bisect import bisect_right
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from posixpath import normpath

__all__ = ["MAX_POINTS", "TIME_SUFFIX", "Point", "check_metric_name", "resample", "select"]

MAX_POINTS = 320
"""Most points of one curve: the user interface draws no more."""

TIME_SUFFIX = "_at_us"
"""Ends the name of a curve whose steps are microseconds of solve time."""

_PER_DECADE = 40
_PROGRESS_POINTS = 16
_METRIC_NAME = re.compile(r"[A-Za-z0-9_][\w\-. /]{0,249}", re.ASCII)


@dataclass(frozen=True)
class Point:
    """One value of one metric.

    Parameters
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
        If `name` has other characters than letters, digits, ``_ - . /`` and spaces, or reads
        as a path that is not in its shortest form.
    """
    if not _METRIC_NAME.fullmatch(name) or normpath(name) != name:
        raise ValueError(
            f"metric name {name!r}: allowed are up to 250 letters, digits, '_', '-', '.', ' ' "
            "and single '/' inside"
        )


def select(
    steps: Sequence[int], values: Sequence[float], sent: Collection[int], *, final: bool
) -> list[int]:
    """Choose the rows of a curve to send now.

    Rows are taken at a stride that is a power of two, counted over the finite values. Strides of
    curves of different lengths are then multiples of one another, so that the mean over a group
    of runs is taken at steps that its runs share.

    Parameters
    ----------
    steps, values
        The curve so far, all rows.
    sent
        Steps that were sent before; they count towards `MAX_POINTS` and are not sent again.
    final
        True also sends the last finite row and fills the curve up; False sends a sparse preview,
        which leaves room for what is still to come.

    Returns
    -------
    list of int
        Row numbers in increasing order.
    """
    finite: list[int] = []
    seen: set[int] = set()
    for row, (step, value) in enumerate(zip(steps, values, strict=True)):
        if math.isfinite(value) and step not in seen:
            seen.add(step)
            finite.append(row)
    if not finite:
        return []
    stride = 1
    if not final:
        while (len(finite) - 1) // stride + 1 > _PROGRESS_POINTS:
            stride *= 2
        rows = [row for row in finite[::stride] if steps[row] not in sent]
        return rows[: max(0, MAX_POINTS // 2 - len(sent))]
    while True:
        rows = finite[::stride]
        if rows[-1] != finite[-1]:
            rows.append(finite[-1])
        rows = [row for row in rows if steps[row] not in sent]
        if len(rows) + len(sent) <= MAX_POINTS or stride > len(finite):
            return rows
        stride *= 2


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
    list of (int, float)
        Time in microseconds and the last value reached by then; at most `MAX_POINTS`. The first
        pair keeps its time, the last one moves up to the next time of the grid.
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
        first = math.floor(per_decade * math.log10(max(1, times[min(1, len(times) - 1)])))
        last = math.ceil(per_decade * math.log10(max(1, end)))
        grid = {round(10 ** (j / per_decade)) for j in range(first, last + 1)}
        grid = {time for time in grid if time > start} | {start}
        if len(grid) <= MAX_POINTS:
            return [(time, pairs[bisect_right(times, time) - 1][1]) for time in sorted(grid)]
        per_decade //= 2
