"""One step where the Hessian is indefinite: Gauss-Newton's or a trust region's, the lower one."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, sqrt
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq

from softres.common.arrays import array_namespace
from softres.matrices.backends import as_numpy
from softres.problems.evaluation import Evaluation
from softres.solvers.steps.line_search import LineSearch, flat, minimise_along, reach, slope_allows

__all__ = ["TrustStep", "trust_region_step"]

#: Least ratio of the loss's fall to the model's for a step to be taken.
ACCEPT = 1e-4
#: Radii tried before giving up.
MAX_RADII = 40
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
        Points tried.
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


class _Model:
    """The quadratic model in coordinates where the metric is the identity and H is diagonal.

    The metric is B, with A's columns scaled to one, plus a little of the identity, which bounds
    the ball in directions that B does not see. Where f is one to rounding in one row, and has no
    slope that arithmetic can see, all of B vanishes; the identity, as large as H, stands for it.

    Attributes
    ----------
    basis
        The coordinates' axes, shape (d, k): one for each direction that H sees, perhaps none.
    curvature
        H's values along them, in ascending order, shape (k,).
    slope
        The gradient's, shape (k,).
    """

    def __init__(self, H: Any, B: Any, point: Evaluation, null_basis: Any | None) -> None:
        xp = array_namespace(H)
        scale = point.problem.matrix.column_scale
        values, vectors = xp.linalg.eigh(B / scale[:, None] / scale[None, :])
        H = H / scale[:, None] / scale[None, :]
        ridge = RIDGE * float(values[-1])
        if ridge > float(xp.finfo(values.dtype).smallest_normal):
            metric = xp.where(values > 0, values, xp.zeros_like(values)) + ridge
        else:
            metric = xp.ones_like(values) * (float(xp.max(xp.abs(H))) or 1.0)
        whiten = vectors / xp.sqrt(metric)
        curvature, rotation = xp.linalg.eigh(whiten.T @ H @ whiten)
        whiten = whiten @ rotation
        basis = whiten / scale[:, None]
        # A direction in which the curvature is rounding is null: its step would be noise over
        # noise. Others are cleared of it, so that the step is the one of least norm.
        squares = xp.sum(whiten * whiten, axis=0)
        floor = point.problem.gram_noise * float(xp.max(xp.abs(H))) * squares
        null = xp.abs(curvature) <= floor
        self._dropped, self._floor = basis[:, null], floor[null]
        self._width = xp.sqrt(squares[null])
        if bool(xp.any(null)):
            unseen = xp.linalg.qr(basis[:, null])[0]
            basis = basis - unseen @ (unseen.T @ basis)
            basis, curvature = basis[:, ~null], curvature[~null]
        if null_basis is not None:
            basis = basis - null_basis @ (null_basis.T @ basis)
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
            return (1.0 / size if size > 0 else inf) - 1.0 / radius

        high = length / radius
        low = high
        while low > 1e-30 * high and excess(low) > 0:
            low *= 1e-2
        shift = brentq(excess, low, high, rtol=1e-6) if excess(low) < 0 < excess(high) else high
        return -self.slope / (self.curvature + floor + shift)

    def left(self, point: Evaluation) -> float:
        """Return the gradient at a point in the norm of |H|^+.

        Where the gradient has a slope beyond rounding along a direction that was dropped, there is
        a way to go that H does not see: its curvature counts as the largest that it may have.
        """
        slope = as_numpy(self.basis.T @ point.gradient)
        seen = float(slope @ (slope / np.abs(self.curvature)))
        unseen = as_numpy(self._dropped.T @ point.gradient)
        size = sqrt(float(point.gradient_z @ point.gradient_z))
        beyond = np.abs(unseen) > point.problem.gram_noise * size * as_numpy(self._width)
        return sqrt(seen + float(np.sum((unseen**2 / as_numpy(self._floor))[beyond])))

    def fall(self, y: npt.NDArray[np.float64]) -> float:
        """Return by how much the model falls for the step y."""
        return -float(self.slope @ y + 0.5 * (self.curvature @ (y * y)))


def trust_region_step(
    point: Evaluation, H: Any, B: Any, radius: float | None, null_basis: Any | None = None
) -> TrustStep | None:
    """Take the lower of two steps: a trust region's with H, and Gauss-Newton's with a line search.

    The first minimises the quadratic model over a ball in B's norm, which shrinks until the loss
    falls. The norm of B, the Gauss-Newton matrix F^T F + W^2 over A, makes the ball as long in
    every direction as the model f can be trusted to be linear, whatever the scale of A's columns.
    The subproblem is solved exactly, in eigenvectors of H relative to B (Conn, Gould and Toint,
    2000, section 7.4). It sees the way down from a saddle.

    The second goes along -B^-1 g, which those eigenvectors tell as well, as far as the loss falls.
    It is not held back by a ball that has to grow from step to step first.

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
    null_basis
        Orthonormal basis of A's null space, shape (d, k), where it has one; H and B are definite
        there, and the step is kept out of it.

    Returns
    -------
    ``None`` if neither gives a fall of the loss that arithmetic can see.
    """
    model = _Model(H, B, point, null_basis)
    length = float(np.linalg.norm(model.slope))
    if not length > 0:
        return None
    straight = _along_gauss_newton(model, point)
    radius = length if radius is None else radius
    # With a step at hand a ball that is too large can wait for the next one.
    most = MAX_RADII if straight is None else 1
    new, radius, trials = _within_ball(model, point, radius, most)
    if straight is not None:
        trials += straight.trials
        if new is None or straight.point.value < new.value:
            new = straight.point
    if new is None:
        return None
    return TrustStep(new, radius, trials, int(np.sum(model.curvature < 0)), model.left(new))


def _along_gauss_newton(model: _Model, point: Evaluation) -> LineSearch | None:
    """Search along -B^-1 g: where the metric is the identity, along minus the slope."""
    ray = point.along(-(model.basis @ point.problem.matrix.asarray(model.slope)))
    return minimise_along(ray, reach(ray))


def _within_ball(
    model: _Model, point: Evaluation, radius: float, most: int
) -> tuple[Evaluation | None, float, int]:
    """Minimise the model over a ball that shrinks until the loss falls, ``most`` times.

    Returns
    -------
    The point, ``None`` where there is none; the radius for the next step; how many were tried.
    """
    matrix = point.problem.matrix
    for trial in range(1, most + 1):
        y = model.minimiser(radius)
        length = sqrt(float(y @ y))
        ray = point.along(model.basis @ matrix.asarray(y))
        there = ray.at(1.0)
        if there.inside:
            change = there.value - point.value
            if flat(change, point):
                if slope_allows(ray, there):
                    return there, radius, trial
            else:
                fall = model.fall(y)
                if fall == 0:  # below the range of doubles, as y is: no smaller ball has more
                    return None, radius, trial
                ratio = -change / fall
                if ratio > ACCEPT:
                    if ratio > 0.75 and length > 0.99 * radius:
                        radius *= 2.0
                    elif ratio < 0.25:
                        radius = 0.25 * length
                    return there, radius, trial
        radius = 0.25 * length
    return None, radius, most
