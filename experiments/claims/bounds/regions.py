"""Matrices and targets that stand for "every A with |A| <= R, every b with sum(b) <= 1"."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np
import numpy.typing as npt

from softres.harness.probe import ProbeContext

__all__ = ["MATRIX_SHAPES", "Setting", "matrix", "settings_of"]

Array = npt.NDArray[np.float64]


def _gaussian(n: int, d: int, rng: np.random.Generator) -> Array:
    return rng.standard_normal((n, d))


def _aligned(n: int, d: int, rng: np.random.Generator) -> Array:
    """One direction moves all z_i alike: alpha goes where it can."""
    A = 0.1 * rng.standard_normal((n, d)) / sqrt(n)
    A[:, 0] += 1.0 / sqrt(n)
    return A


def _spike(n: int, d: int, rng: np.random.Generator) -> Array:
    """One row has norm |A|: one z_i reaches R^2, the largest that the assumptions allow."""
    A = 0.3 * rng.standard_normal((n, d)) / sqrt(n)
    A[:, 0] = 0.0
    alone = rng.integers(n)
    A[alone] = 0.0
    A[alone, 0] = 1.0
    return A


#: Shapes of A: each makes other bounds tight.
MATRIX_SHAPES: dict[str, Callable[[int, int, np.random.Generator], Array]] = {
    "gaussian": _gaussian,
    "aligned": _aligned,
    "spike": _spike,
}


def matrix(kind: str, n: int, d: int, R: float, rng: np.random.Generator) -> Array:
    """Return an n x d matrix of a kind with |A|_2 = R."""
    A = MATRIX_SHAPES[kind](n, d, rng)
    return A * (R / np.linalg.norm(A, 2))


@dataclass(frozen=True)
class Setting:
    """One instance of the assumptions, for an adversary to choose x and b in.

    Attributes
    ----------
    kind, instance
        Shape of A, and its number among those of this shape.
    A
        Shape (n, d), |A|_2 = R.
    R, beta
        Of the assumptions |A|, |x| <= R and alpha >= beta.
    """

    kind: str
    instance: int
    A: Any
    R: float
    beta: float

    @property
    def norm(self) -> float:
        """|A|_2."""
        return float(np.linalg.norm(self.A, 2))

    @property
    def row(self) -> float:
        """max_i |a_i|."""
        return float(np.linalg.norm(self.A, axis=1).max())


def settings_of(context: ProbeContext) -> Iterator[Setting]:
    """Yield ``experiment.instances`` settings of each kind for a run's n, d, R and beta."""
    options, own = context.settings, context.settings.experiment
    R = 1.0 if options.R is None else options.R
    for kind in MATRIX_SHAPES:
        rng = context.rng(f"matrix {kind}")
        for instance in range(int(own["instances"])):
            A = matrix(kind, options.n, options.d, R, rng)
            yield Setting(kind, instance, A, R, float(own["beta"]))
