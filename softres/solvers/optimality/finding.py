"""What was found of the Hessian at a point."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["Finding", "energy_norm", "length"]


@dataclass(frozen=True)
class Finding:
    """The Hessian at a point, as far as it decides whether the point is a minimiser.

    Attributes
    ----------
    downhill
        A direction of negative curvature, shape (d,), of A's kind; ``None`` where there is none
        beyond rounding.
    error
        |H^+ g| in the norm of H, how far the quadratic model's minimiser is; infinite where the
        gradient has a slope along which H sees no curvature.
    step
        -H^+ g, shape (d,), of A's kind; ``None`` at a saddle.
    norm
        Returns |H^+ y| in the norm of H for a y of shape (d,) of A's kind.
    """

    downhill: Any | None
    error: float
    step: Any | None
    norm: Callable[[Any], float]


def energy_norm(y: Any, solved: Any) -> float:
    """Return sqrt(y^T H^-1 y) from y and H^-1 y, of which no product leaves the range of doubles.

    An error that underflows to 0 would be none.
    """
    largest = float(abs(y).max()) if len(y) else 0.0
    if not 0.0 < largest < float("inf"):
        return largest
    return sqrt(largest) * sqrt(max(0.0, float((y / largest) @ solved)))


def length(parts: npt.NDArray[np.float64]) -> float:
    """Return the 2-norm of numbers whose squares may leave the range of doubles."""
    largest = float(np.abs(parts).max(initial=0.0))
    if not 0.0 < largest < float("inf"):
        return largest
    return largest * float(np.linalg.norm(parts / largest))
