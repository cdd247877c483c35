"""One step where the Hessian is indefinite: a trust region in the Gauss-Newton norm."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np
import numpy.typing as npt
from array_api_compat import array_namespace
from scipy.optimize import brentq

from softres.backends import as_numpy
from softres.evaluation import Evaluation
from softres.solvers.line_search import flat, slope_allows

__all__ = ["TrustStep", "trust_region_step"]

#: Least ratio of the loss's fall to the model's for a step to be taken.
ACCEPT = 1e-4
#: Radii tried before giving up.
TRIALS = 40


@dataclass(frozen=True)
class TrustStep:
    """An accepted step.

    Attributes
    ----------
    point
        The new point.
    radius
        The radius for the next step.
    trials
        Radii tried.
    negative
        Negative eigenvalues of H.
    """

    point: Evaluation
    radius: float
    trials: int
    negative: int


class _Model:
    """The quadratic model in coordinates where B is the identity and H is diagonal."""

    def __init__(self, H: Any, B: Any, gradient: Any) -> None:
        xp = array_namespace(H)
        diagonal = xp.linalg.diagonal(B)
        scale = xp.sqrt(xp.where(diagonal > 0, diagonal, xp.ones_like(diagonal)))
        values, vectors = xp.linalg.eigh(B / scale[:, None] / scale[None, :])
        kept = values > values.shape[0] * float(xp.finfo(values.dtype).eps) * values[-1]
        whiten = vectors[:, kept] / xp.sqrt(values[kept]) / scale[:, None]
        curvature, rotation = xp.linalg.eigh(whiten.T @ H @ whiten)
        self.basis = whiten @ rotation
        self.curvature: npt.NDArray[np.float64] = as_numpy(curvature).astype(np.float64)
        self.slope: npt.NDArray[np.float64] = as_numpy(self.basis.T @ gradient).astype(np.float64)

    def minimiser(self, radius: float) -> npt.NDArray[np.float64]:
        """Return the minimiser y of the model over |y| <= radius."""
        lowest = float(self.curvature[0])
        if lowest > 0:
            y = -self.slope / self.curvature
            if float(np.linalg.norm(y)) <= radius:
                return y
        floor = max(0.0, -lowest)
        length = float(np.linalg.norm(self.slope))

        def excess(shift: float) -> float:
            # The reciprocal of the length is nearly linear in the shift (Hebden, More).
            size = float(np.linalg.norm(self.slope / (self.curvature + floor + shift)))
            return 1.0 / size - 1.0 / radius

        high = length / radius
        low = high
        while low > 1e-30 * high and excess(low) > 0:
            low *= 1e-2
        shift = brentq(excess, low, high, rtol=1e-6) if excess(low) < 0 < excess(high) else high
        return -self.slope / (self.curvature + floor + shift)

    def fall(self, y: npt.NDArray[np.float64]) -> float:
        """Return by how much the model falls for the step y."""
        return -float(self.slope @ y + 0.5 * (self.curvature @ (y * y)))


def trust_region_step(point: Evaluation, H: Any, B: Any, radius: float | None) -> TrustStep | None:
    """Minimise the quadratic model over a ball in B's norm, shrinking it until the loss falls.

    The norm of B, the Gauss-Newton matrix F^T F + W^2 over A, makes the ball as long in every
    direction as the model f can be trusted to be linear, whatever the scale of A's columns. The
    subproblem is solved exactly, in eigenvectors of H relative to B (Conn, Gould and Toint, 2000,
    section 7.4).

    Parameters
    ----------
    point
        Where the solver is.
    H
        Its Hessian or an approximation, shape (d, d); of any signs.
    B
        Positive semidefinite, shape (d, d).
    radius
        In B's norm; ``None``: the length of the Gauss-Newton step.

    Returns
    -------
    ``None`` if no radius gives a fall of the loss that arithmetic can see.
    """
    model = _Model(H, B, point.gradient)
    negative = int(np.sum(model.curvature < 0))
    if not float(np.linalg.norm(model.slope)) > 0:
        return None
    if radius is None:
        radius = float(np.linalg.norm(model.slope))
    matrix = point.problem.matrix
    for trial in range(1, TRIALS + 1):
        y = model.minimiser(radius)
        length = sqrt(float(y @ y))
        ray = point.along(model.basis @ matrix.asarray(y))
        there = ray.at(1.0)
        if there.inside:
            change = there.value - point.value
            if flat(change, point.value):
                if slope_allows(ray, there):
                    return TrustStep(there, radius, trial, negative)
            else:
                ratio = -change / model.fall(y)
                if ratio > ACCEPT:
                    if ratio > 0.75 and length > 0.99 * radius:
                        radius *= 2.0
                    elif ratio < 0.25:
                        radius = 0.25 * length
                    return TrustStep(there, radius, trial, negative)
        radius = 0.25 * length
    return None
