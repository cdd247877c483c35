"""Arrays of intervals with outward rounding: what is computed with them encloses the true value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["Intervals"]

Array = npt.NDArray[np.float64]

#: Units in the last place that the exponential of the C library may be off by, and one to spare.
EXP_UNITS = 2


@dataclass(frozen=True)
class Intervals:
    """Intervals [low, high], arrays of one shape.

    Every operation rounds its ends to the nearest double and moves them outwards by one: correctly
    rounded operations are off by half of that. Sums are taken entry by entry for the same reason.
    """

    low: Array
    high: Array

    @classmethod
    def of(cls, values: Any) -> Intervals:
        """Return the intervals that hold these doubles alone; intervals as they are."""
        if isinstance(values, Intervals):
            return values
        array = np.asarray(values, dtype=np.float64)
        return cls(array, array)

    @classmethod
    def around(cls, middle: Any, radius: Any) -> Intervals:
        """Return middle - radius to middle + radius."""
        return _outward(middle - radius, middle + radius)

    @property
    def magnitude(self) -> Array:
        """The largest absolute value in each."""
        return np.maximum(np.abs(self.low), np.abs(self.high))

    def __getitem__(self, at: Any) -> Intervals:
        return Intervals(self.low[at], self.high[at])

    def __neg__(self) -> Intervals:
        return Intervals(-self.high, -self.low)

    def __add__(self, other: Any) -> Intervals:
        other = Intervals.of(other)
        return _outward(self.low + other.low, self.high + other.high)

    def __sub__(self, other: Any) -> Intervals:
        return self + (-Intervals.of(other))

    def __mul__(self, other: Any) -> Intervals:
        other = Intervals.of(other)
        ends = [a * b for a in (self.low, self.high) for b in (other.low, other.high)]
        return _outward(np.minimum.reduce(ends), np.maximum.reduce(ends))

    def __truediv__(self, other: Any) -> Intervals:
        other = Intervals.of(other)
        if bool(((other.low <= 0) & (other.high >= 0)).any()):
            raise ZeroDivisionError("an interval that is divided by has 0 in it")
        return self * _outward(1.0 / other.high, 1.0 / other.low)

    def exp(self) -> Intervals:
        """Return the exponentials."""
        return _outward(np.exp(self.low), np.exp(self.high), EXP_UNITS)

    def sum(self) -> Intervals:
        """Return the sum over the first axis."""
        total = self[0]
        for k in range(1, len(self.low)):
            total = total + self[k]
        return total

    def inside(self, other: Intervals) -> bool:
        """Whether each lies in the interior of another's."""
        return bool(((other.low < self.low) & (self.high < other.high)).all())


def _outward(low: Any, high: Any, units: int = 1) -> Intervals:
    for _ in range(units):
        low, high = np.nextafter(low, -np.inf), np.nextafter(high, np.inf)
    return Intervals(low, high)
