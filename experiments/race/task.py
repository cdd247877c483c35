"""An instance with its certified minimiser: what errors are measured against."""

from __future__ import annotations

from collections.abc import Callable
from math import inf, sqrt
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import linalg

from experiments.race.grid import RaceArrays
from softres.certification.cached import certified_minimiser
from softres.certification.minimiser import digest
from softres.common.errors import InputError
from softres.problems.reference import Reference

__all__ = ["Task"]

Vector = npt.NDArray[np.float64]


class Task:
    """One instance, ready to be raced on.

    Parameters
    ----------
    posed
        The arrays.
    cache
        Folder where minimisers are kept; ``None``: the user's.

    Attributes
    ----------
    beta
        The least alpha = <u, 1> at which the loss counts as defined.
    value0
        The loss at x0.
    floor
        How well x* is known: the length of one more Newton step over |x0 - x*|, in the H-norm.

    Raises
    ------
    InputError
        If x* cannot be certified, or is x0.
    """

    def __init__(self, posed: RaceArrays, cache: Path | None = None) -> None:
        self.A, self.b, self.w2, self.x0 = posed.A, posed.b, posed.w2, posed.x0
        self.problem = posed.problem()
        self.beta = self.problem.beta
        self.value0 = self.problem.at(self.x0).value
        key = digest(self.A, self.b, self.w2, self.x0, "race")
        x, certificate = certified_minimiser(self.problem, self.x0, key, cache)
        if not certificate.certified:
            raise InputError(
                f"x* is not certified: {certificate.negative} negative eigenvalues, "
                f"known to {certificate.estimated_error:.1g}"
            )
        self._reference = Reference(self.problem, x, certificate)
        self._distance = self._reference.norm_H(self.x0 - x)
        if not self._distance > 0:
            raise InputError("x0 is x*: there is nothing to race for")
        self.floor = self._floor()
        self._shared: dict[str, Any] = {}

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of A."""
        return self.problem.matrix.shape

    @property
    def sparse(self) -> bool:
        """Whether A is sparse."""
        return not isinstance(self.A, np.ndarray)

    def error(self, x: Vector) -> float:
        """Return |x - x*| / |x0 - x*| in the norm of the Hessian at x*; one pass over A."""
        return self._reference.norm_H(x - self._reference.x) / self._distance

    def loss_excess(self, x: Vector) -> float:
        """Return L(x) over L(x*), less 1: negative where x is better than x*."""
        return self.problem.at(x).value / self._reference.point.value - 1.0

    def stationary(self, x: Vector) -> bool:
        """Whether the gradient has all but vanished: |g(x)| <= 1e-6 |g(x0)|."""
        g, g0 = self.problem.at(x).gradient, self.problem.at(self.x0).gradient
        return bool(np.linalg.norm(g) <= 1e-6 * np.linalg.norm(g0))

    def shared(self, key: str, make: Callable[[], Any]) -> Any:
        """Return what several contestants of a library need, such as A as its array; made once."""
        if key not in self._shared:
            self._shared[key] = make()
        return self._shared[key]

    def _floor(self) -> float:
        point = self._reference.point
        try:
            factor = linalg.cho_factor(point.hessian(), check_finite=False)
        except linalg.LinAlgError:  # singular to rounding: what is known is the certificate's
            return self._reference.certificate.estimated_error
        step = linalg.cho_solve(factor, point.gradient, check_finite=False)
        floor = sqrt(max(0.0, float(point.gradient @ step))) / self._distance
        return floor if np.isfinite(floor) else inf
