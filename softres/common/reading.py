"""Numbers that the host needs from arrays: on a device, many of them in one transfer.

A number that is read from a device makes the host wait until everything before it is done, some
tens of microseconds in which nothing new is launched. So what can stay there stays there
(:func:`scalar`), and what decides the way is asked for first, all of it, and read then
(:class:`Reading`). On the host nothing waits, and every number is read at once.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf, log
from typing import Any

import numpy as np

from softres.common.arrays import dual_norm, dual_norm_from, norm, norm_from
from softres.common.arrays import stays as _stays

__all__ = ["Number", "Reading", "log_of_sum", "scalar"]

#: A number that has been asked for; to call it is to wait for it.
Number = Callable[[], float]


def scalar(value: Any) -> Any:
    """Return an array without axes as a float; from a device as it is, for further work there."""
    if type(value) is np.float64:
        return float(value)
    return value if _stays(value) else float(value)


def log_of_sum(total: Any, shift: Any) -> Any:
    """Return log(total) + shift, -inf where the total is not positive; both as :func:`scalar`."""
    if _stays(total):
        return total.log().where(total > 0, -inf) + shift
    return log(total) + shift if total > 0 else -inf


class Reading:
    """Numbers that are asked for one by one, and brought to the host together."""

    def __init__(self) -> None:
        self._asked: list[Any] = []
        self._read: list[float] = []

    def number(self, value: Any) -> Number:
        """Ask for an array without axes."""
        if not _stays(value):
            known = float(value)
            return lambda: known
        at = len(self._asked)
        self._asked.append(value)
        return lambda: self._fetched()[at]

    def norm(self, vector: Any) -> Number:
        """Ask for a Euclidean norm; see :func:`softres.common.arrays.norm`."""
        if not _stays(vector):
            known = norm(vector)
            return lambda: known
        square, largest = self.number(vector @ vector), self.number(abs(vector).max())
        return lambda: norm_from(square(), largest(), vector)

    def dual_norm(self, vector: Any, solved: Any) -> Number:
        """Ask for sqrt(y^T H^-1 y); see :func:`softres.common.arrays.dual_norm`."""
        if not _stays(vector):
            known = dual_norm(vector, solved)
            return lambda: known
        square, largest = self.number(vector @ solved), self.number(abs(vector).max())
        return lambda: dual_norm_from(square(), largest(), vector, solved)

    def _fetched(self) -> list[float]:
        new = self._asked[len(self._read) :]
        if new:
            import torch

            self._read += torch.stack([value.double() for value in new]).tolist()
        return self._read
