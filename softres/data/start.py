"""Where solvers start."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from softres.common.errors import InputError
from softres.data.seeds import generator

__all__ = ["StartOptions", "starting_point"]

START_KINDS = ("default", "random", "minimiser")


@dataclass(frozen=True)
class StartOptions:
    """x0: the problem's own, a random point, or one at a chosen distance from x*.

    Attributes
    ----------
    kind
        ``"default"``: the problem's own start, 0 for all problems but cosh. ``"random"``: in a
        random direction from 0. ``"minimiser"``: in a random direction from x*.
    distance
        |x0| of a random start, |x0 - x*| of one near the minimiser.
    """

    kind: str = "default"
    distance: float = 1.0

    def __post_init__(self) -> None:
        if self.kind not in START_KINDS:
            raise InputError(f"start.kind={self.kind}: allowed are {', '.join(START_KINDS)}")
        if not 0 < self.distance < 1e300:
            raise InputError(f"start.distance={self.distance}: allowed is a positive number")


def starting_point(
    options: StartOptions, default: Any, minimiser: Any | None, seed: int
) -> npt.NDArray[np.float64]:
    """Return x0 on the host, shape (d,).

    Parameters
    ----------
    options
        Which start.
    default
        The problem's own start, shape (d,).
    minimiser
        x*, shape (d,); needed for a start near it only.
    seed
        Seed of the direction, the same for every solver.
    """
    origin = np.asarray(default, dtype=np.float64)
    if options.kind == "default":
        return origin
    if options.kind == "minimiser":
        if minimiser is None:
            raise ValueError("a start near the minimiser needs the minimiser")
        origin = np.asarray(minimiser, dtype=np.float64)
    else:
        origin = np.zeros_like(origin)
    direction = generator(seed, "start", len(origin)).standard_normal(len(origin))
    return origin + options.distance * direction / float(np.linalg.norm(direction))
