"""What was found of the Hessian at a point."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

__all__ = ["Finding"]


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
