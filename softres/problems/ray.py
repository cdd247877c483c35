"""The points of a ray, on which a line search takes no pass over A."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from softres.common.arrays import stays
from softres.common.reading import Reading

if TYPE_CHECKING:
    from softres.problems.evaluation import Evaluation

__all__ = ["Ray"]


class Ray:
    """The points x + t p. After one pass for A p, points on it need no further pass.

    The directional derivative is <gradient in z, A p>: a line search that decides by it reads A
    only once, and is not fooled by a loss that is flat to rounding.

    On a device, what a search asks of a point is read in one transfer when the point is made.
    """

    def __init__(self, origin: Evaluation, p: Any, ap: Any) -> None:
        self.origin = origin
        self.p = p
        self.ap = ap
        self._seen: dict[int, tuple[Evaluation, float, float]] = {}
        self._length: float | None = None

    def at(self, t: Any) -> Evaluation:
        """Return the evaluation at x + t p, with z from the ray rather than a fresh pass.

        t may be on the device.
        """
        origin = self.origin
        point = origin.problem.at(origin.x + t * self.p, origin.z + t * self.ap)
        if stays(self.ap):
            self._look(point, t)
        return point

    def length(self, t: Any) -> float:
        """Return t as a float; where it is on the device it was read with the point."""
        return self._length if stays(t) and self._length is not None else float(t)

    def _look(self, point: Evaluation, t: Any) -> None:
        """Read what a search may ask of a point on a device, and the first time of the origin."""
        reading = Reading()
        unseen = [point] if id(self.origin) in self._seen else [self.origin, point]
        asked = []
        for other in unseen:
            numbers = other.ask(reading)
            slope = reading.number(other.gradient_z @ self.ap)
            curved = reading.number(other.curvature.form(self.ap))
            asked.append((other, numbers, slope, curved))
        length = reading.number(t)
        self._length = length()
        for other, numbers, slope, curved in asked:
            numbers()
            self._seen[id(other)] = (other, slope(), curved())

    def slope(self, point: Evaluation) -> float:
        """Return the directional derivative along p at a point of the ray."""
        if id(point) in self._seen:
            return self._seen[id(point)][1]
        with np.errstate(all="ignore"):  # z and its slope may be finite, and their product not
            return float(point.gradient_z @ self.ap)

    def curvature(self, point: Evaluation) -> float:
        """Return the second directional derivative along p at a point of the ray."""
        if id(point) in self._seen:
            return self._seen[id(point)][2]
        return point.curvature.quadratic(self.ap)
