"""One step where the Hessian is indefinite: a trust region in the Gauss-Newton norm."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq

from softres.arrays import array_namespace
from softres.backends import as_numpy
from softres.evaluation import Evaluation
from softres.solvers.line_search import flat, slope_allows

__all__ = ["TrustStep", "gram_noise", "trust_region_step"]

#: Least ratio of the loss's fall to the model's for a step to be taken.
ACCEPT = 1e-4
#: Radii tried before giving up.
TRIALS = 40
#: Multiple of the identity that is added to the metric, over its largest eigenvalue.
RIDGE = 1e-8


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
    left
        The new gradient in the norm of H^+: the error left, where ``negative`` is 0.
    """

    point: Evaluation
    radius: float
    trials: int
    negative: int
    left: float


def gram_noise(point: Evaluation) -> float:
    """Return the rounding of a Hessian formed from n rows, relative to a unit diagonal."""
    n, d = point.problem.matrix.shape
    xp = array_namespace(point.x)
    return 10.0 * (d + sqrt(n)) * float(xp.finfo(point.x.dtype).eps)


class _Model:
    """The quadratic model in coordinates where the metric is the identity and H is diagonal.

    The metric is B, with A's columns scaled to one, plus a little of the identity, which bounds
    the ball where B vanishes.
    """

    def __init__(self, H: Any, B: Any, point: Evaluation, blind: Any | None) -> None:
        xp = array_namespace(H)
        scale = point.problem.matrix.column_scale
        values, vectors = xp.linalg.eigh(B / scale[:, None] / scale[None, :])
        metric = xp.where(values > 0, values, xp.zeros_like(values)) + RIDGE * values[-1]
        whiten = vectors / xp.sqrt(metric)
        H = H / scale[:, None] / scale[None, :]
        curvature, rotation = xp.linalg.eigh(whiten.T @ H @ whiten)
        whiten = whiten @ rotation
        basis = whiten / scale[:, None]
        # A direction in which the curvature is rounding is null: its step would be noise over
        # noise. Others are cleared of it, so that the step is the one of least norm.
        floor = gram_noise(point) * float(xp.max(xp.abs(H))) * xp.sum(whiten * whiten, axis=0)
        null = xp.abs(curvature) <= floor
        if bool(xp.any(null)):
            unseen = xp.linalg.qr(basis[:, null])[0]
            basis = basis - unseen @ (unseen.T @ basis)
            basis, curvature = basis[:, ~null], curvature[~null]
        if blind is not None:
            basis = basis - blind @ (blind.T @ basis)
        self.basis = basis
        self.curvature: npt.NDArray[np.float64] = as_numpy(curvature).astype(np.float64)
        self.slope: npt.NDArray[np.float64] = as_numpy(basis.T @ point.gradient).astype(np.float64)

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

    def taken(self, point: Evaluation, radius: float, trials: int) -> TrustStep:
        """Return the accepted step to a point."""
        slope = as_numpy(self.basis.T @ point.gradient)
        left = sqrt(float(slope @ (slope / np.abs(self.curvature))))
        return TrustStep(point, radius, trials, int(np.sum(self.curvature < 0)), left)

    def fall(self, y: npt.NDArray[np.float64]) -> float:
        """Return by how much the model falls for the step y."""
        return -float(self.slope @ y + 0.5 * (self.curvature @ (y * y)))


def trust_region_step(
    point: Evaluation, H: Any, B: Any, radius: float | None, blind: Any | None = None
) -> TrustStep | None:
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
    blind
        Orthonormal basis of A's null space, shape (d, k), where it has one; H and B are definite
        there, and the step is kept out of it.

    Returns
    -------
    ``None`` if no radius gives a fall of the loss that arithmetic can see.
    """
    model = _Model(H, B, point, blind)
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
                    return model.taken(there, radius, trial)
            else:
                ratio = -change / model.fall(y)
                if ratio > ACCEPT:
                    if ratio > 0.75 and length > 0.99 * radius:
                        radius *= 2.0
                    elif ratio < 0.25:
                        radius = 0.25 * length
                    return model.taken(there, radius, trial)
        radius = 0.25 * length
    return None
