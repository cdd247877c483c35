"""Which points of a curve are recorded."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from posixpath import normpath

__all__ = ["MAX_POINTS", "Point", "check_metric_name", "select"]

MAX_POINTS = 320
"""Most points of one curve: the user interface draws no more."""

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
