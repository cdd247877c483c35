"""Whether a point is the minimiser it is said to be, in extended precision and from nothing else.

Newton's method, with the gradient and the Hessian of points.py, tells how far x is from x*.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import hypot, inf, isfinite, sqrt
from typing import Any

import numpy as np
from extended import ARITHMETICS
from frames import Frame, Loss
from points import UNITS, Point

__all__ = ["Verdict", "verify"]

#: An estimate may be off by this factor before it counts as wrong.
SLACK = 3.0
#: Newton steps from a doubtful point to the minimiser that it may belong to.
STEPS = 40
#: Factor by which a step of Newton's method lowers the error near a minimiser.
FAST = 1e-2
#: A singular value of A or a curvature may count as zero up to this multiple of its rounding.
BLUR = 30.0
#: Faults that 19 digits see as well as 60: Newton's method did end at a stationary point.
DECIDED = ("a saddle", "not close", "off by the start's rounding")
#: An entry of z may be off by so many units of its rounding, and by no more than this, where the
#: gradient has no slope beyond rounding.
PERTURBATION_UNITS, PERCEPTIBLE = 100.0, 0.1
#: Newton steps after which the error must have fallen by a factor.
FEW, FALLEN = 12, 0.05


@dataclass(frozen=True)
class Verdict:
    """What was found at a point.

    Attributes
    ----------
    fault
        ``""`` for a minimiser to the eps that was asked for; or what it is instead.
    error
        |x - x*| in the norm of the Hessian.
    distance
        |x0 - x*| in the same norm.
    floor
        What the rounding of x and of the data makes of x*, in the same norm.
    curvature
        The Hessian's smallest eigenvalue, over the size of the terms that it is the sum of.
    """

    fault: str
    error: float = float("nan")
    distance: float = float("nan")
    floor: float = float("nan")
    curvature: float = float("nan")

    def __str__(self) -> str:
        relative = self.error / self.distance if self.distance > 0 else float("inf")
        return (
            f"{self.fault or 'a minimiser'}: error {self.error:.2g}, relative {relative:.2g}, "
            f"floor {self.floor:.2g}, curvature {self.curvature:.2g}"
        )


def verify(loss: Loss, x0: Any, x: Any, eps: float) -> Verdict:
    """Judge the claim that x is a local minimiser to eps, |x - x*| <= eps |x0 - x*|.

    The norm is that of the Hessian. A first look costs one evaluation with 19 digits. Where it
    finds a fault, Newton's method goes on from x with 19 and then with 60 digits: there is no
    fault if it ends at a minimiser that is as close as was said, or as close as rounding allows.
    Nor is there one where x is the minimiser for a b that differs by rounding.
    """
    if not bool(np.isfinite(x).all()):
        return Verdict("not finite")
    verdict = Verdict("")
    for arithmetic in ARITHMETICS:
        with arithmetic.active(), np.errstate(all="ignore"):
            frame = Frame(loss, arithmetic)
            if not frame.kept.any():
                return Verdict("", 0.0, 0.0, 0.0, 0.0)  # A = 0: every x is a minimiser
            verdict = _look(frame, x0, x, eps)
            if verdict.fault in ("", "on the wall"):
                return verdict
            followed = [_follow(frame, x0, x, eps)]
            if followed[0].fault:
                followed.append(_follow(Frame(loss, arithmetic, BLUR), x0, x, eps))
            if not followed[-1].fault:
                return followed[-1]
            verdict = followed[0]
            if verdict.fault in DECIDED:
                return verdict
    return verdict


def _look(frame: Frame, x0: Any, x: Any, eps: float) -> Verdict:
    """Judge by one Newton step, and of all rounding allow for that of b alone."""
    point = Point(frame, frame.product(x))
    if not point.finite:
        return Verdict("not finite")
    going, left, ahead = point.newton()
    distance, floor = point.norm(frame.product(x0) - point.z - ahead), point.floor(frame.reach(x))
    found = Verdict("", hypot(going, left), distance, floor, point.curvature)
    if point.on_the_wall:
        return replace(found, fault="on the wall")
    near = found.error <= SLACK * eps * distance and not (point.saddle or point.undecided)
    return found if near or _fits(point) else replace(found, fault="doubtful")


def _fits(point: Point) -> bool:
    """Whether z is the minimiser, row by row, for a b that differs by rounding alone.

    The backward error of a plain problem, with the b' for which the slope of every row's term of
    the loss vanishes. Each term is then at a minimum: a strict one where its curvature is positive,
    and zero where nothing pulls at z. Where all curvature vanishes, as at the minimum of fourth
    order of a cosh that is to be 1, nothing else tells rounding from an error: that minimiser moves
    by the root of what b does. A share of 0 has no rounding, so that no point on the way to a
    minimum at infinity is excused.
    """
    frame, loss = point.frame, point.frame.loss
    if loss.normalised or loss.rescaled:
        return False  # no row's term of the loss is its own
    pull = frame.w2 * point.z
    steep = point.v != 0
    shift = pull / np.where(steep, point.v, 1)  # of b', to make up for the pull
    curvature = point.v**2 - point.e * shift + frame.w2
    near = np.abs(point.u + shift - frame.target) <= UNITS * loss.unit * np.abs(frame.target)
    return bool(np.all(near & ((pull == 0) | steep & (curvature > 0))))


def _follow(frame: Frame, x0: Any, x: Any, eps: float) -> Verdict:
    """Judge by where Newton's method ends from x."""
    point = Point(frame, frame.product(x))
    reach, start = frame.reach(x), frame.product(x0)
    slopeless = point.newton()[0] <= SLACK * point.floor(reach, computed=True)
    moved, before, first = 0 * point.z, inf, inf
    closest = Verdict("no minimiser near")
    for step in range(STEPS):
        if not point.finite or point.on_the_wall:
            return closest
        going, left, ahead = point.newton()
        distance, floor = point.norm(start - point.z - ahead), point.floor(reach)
        if not all(map(isfinite, (going, left, distance))) or point.undecided:
            return closest
        error = hypot(point.norm(moved), left)
        found = Verdict("no minimiser near", error, distance, floor, point.curvature)
        closest = closest if step else replace(found, error=hypot(going, left))
        # Near a minimiser Newton's method converges fast; towards one at infinity it never does.
        if (step and going <= FAST * before) or going <= max(
            FAST * SLACK * eps * distance, frame.resolution * floor
        ):
            if point.saddle:
                return replace(found, fault="a saddle")
            if found.error <= SLACK * eps * distance + floor:
                return replace(found, fault="")
            if slopeless and left <= SLACK * floor and _imperceptible(frame, point.z, moved):
                return replace(found, fault="")
            # A solver that carries A x along keeps the rounding of its start.
            carried = point.floor(reach + frame.reach(x0))
            drifted = found.error <= SLACK * eps * distance + carried
            return replace(found, fault="off by the start's rounding" if drifted else "not close")
        ratio = going / distance if distance > 0 else inf
        first = ratio if step == 0 else first
        if step >= FEW and ratio > FALLEN * first:
            return closest
        moved, before = moved - ahead, going
        point = Point(frame, point.z + ahead)
    return closest


def _imperceptible(frame: Frame, z: Any, moved: Any) -> bool:
    """Whether z has moved by no more than what no gradient without a slope can exclude.

    Where all that a computed gradient holds is rounding, a solver may be as far off as this, the
    floor of the distance that eps is relative to: a minimum of fourth order is not known better.
    """
    unit = frame.loss.unit
    most = sqrt(unit) + min(PERCEPTIBLE, PERTURBATION_UNITS * unit * float(np.abs(z).max()))
    return float(np.abs(moved).max()) <= most
