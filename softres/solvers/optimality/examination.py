"""Whether a point is a minimiser, to the accuracy that was asked for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf, sqrt
from typing import Any

from softres.common.arrays import array_namespace, dual_norm
from softres.problems.evaluation import Evaluation
from softres.solvers.optimality.comparison import exceeds
from softres.solvers.optimality.dense import examine_dense
from softres.solvers.optimality.finding import Finding
from softres.solvers.optimality.iterative import examine_by_products
from softres.solvers.optimality.metric import Metric
from softres.solvers.optimality.rounding import gradient_noise, is_noise, rounding_along_shift

__all__ = ["Examination", "examine"]

#: Columns up to which the Hessian is formed at once, and beyond which it never is.
FEW, MANY = 16, 6000
#: Units of rounding that an entry of z may move by.
PERTURBATION_UNITS = 100.0
#: A move of an entry of z that is seen in every link: where rounding is larger, nothing is known.
PERCEPTIBLE = 0.1
#: Entries of A up to which it is copied to float64.
LARGE = 2e7
#: Shares of a metric that the Hessian is compared with.
METRIC_SHARES = (0.9, 0.5)
#: Smallest eigenvalue of a metric whose solutions are taken without a second look.
TRUSTED = 1e-8
#: Units of rounding, relative to the start, that a z may have gathered over many steps.
DRIFT_UNITS = 1e4
#: Units of the rounding that is expected up to which an error is rounding.
ROUNDING_UNITS = 5.0


@dataclass(frozen=True)
class Examination:
    """What was found at a point.

    Attributes
    ----------
    point
        Where: the solver's point, or the same x with A x formed anew.
    minimiser
        Whether the point is a local minimiser to the accuracy asked for.
    error
        Estimated |x - x*| / |x0 - x*| in the norm of the Hessian at x; infinite where that is
        indefinite, or blind to a slope, or could not be looked at.
    downhill
        A direction of negative curvature, shape (d,); ``None`` where there is none.
    step
        Newton's step, shape (d,); ``None`` where there is none.
    """

    point: Evaluation
    minimiser: bool
    error: float
    downhill: Any | None = None
    step: Any | None = None


def examine(
    point: Evaluation, start: Evaluation, eps: float, metric: Metric | None = None
) -> Examination:
    """Look at the gradient and the curvature at a point.

    A point is a minimiser if the Hessian there is positive semidefinite to rounding, the gradient
    has no slope where it is singular, and the Newton step is at most eps times the distance from
    the start, both in the norm of the Hessian. That distance has a floor: a Newton step that is all
    rounding, and moves no entry of z by more than the root of the unit of rounding or a hundred
    units of the largest, is none. So a start that is x* already is found to be a minimiser.

    Parameters
    ----------
    point, start
        Where the solver is, and where it began.
    eps
        Error relative to the start's.
    metric
        A matrix near the Hessian with its factor, where the solver has one. Without one, or where
        it is too far off, the Hessian is formed and factored, up to 6,000 columns.
    """
    known = _by_comparison(point, start, eps, metric)
    if known is not None:
        return known
    d = point.problem.d
    by_products = metric is not None and d > FEW
    if not by_products or eps < DRIFT_UNITS * point.problem.unit:
        # z is carried along from step to step, and its rounding from wherever it was large.
        fresh = point.problem.at(point.x)
        point = fresh if fresh.inside else point
    found, travelled = None, _travelled(point, start.z)
    if by_products and metric is not None and not rounding_along_shift(point) > eps * travelled:
        found = examine_by_products(point, metric)
    if found is None and d <= MANY:
        exact, z0 = _in_double(point, start)
        travelled = travelled if exact is point else _travelled(exact, z0)
        found = examine_dense(exact, blurred=rounding_along_shift(exact) > eps * travelled)
        if exact is not point:
            found = _of_kind(found, point)
    if found is None:
        return Examination(point, False, inf)
    if found.downhill is not None:
        return Examination(point, False, inf, found.downhill)
    if found.error <= eps * travelled:
        error = found.error / travelled if travelled > 0 else 0.0
        return Examination(point, True, error, step=found.step)
    error = found.error / travelled if travelled > 0 else inf
    return Examination(point, _is_rounding(point, found), error, step=found.step)


def _of_kind(found: Finding, point: Evaluation) -> Finding:
    """Return what was found in double with directions of the point's own kind."""
    asarray = point.problem.matrix.asarray
    return replace(
        found,
        downhill=None if found.downhill is None else asarray(found.downhill),
        step=None if found.step is None else asarray(found.step),
    )


def _in_double(point: Evaluation, start: Evaluation) -> tuple[Evaluation, Any]:
    """Return the point in float64, and A x0: there a float32 x is as good as it is."""
    problem = point.problem
    if problem.n * problem.d > LARGE or problem.in_double is problem:
        return point, start.z
    matrix = problem.in_double.matrix
    exact = problem.in_double.at(matrix.asarray(point.x))
    return (exact, matrix.matmul(matrix.asarray(start.x))) if exact.inside else (point, start.z)


def _by_comparison(
    point: Evaluation, start: Evaluation, eps: float, metric: Metric | None
) -> Examination | None:
    """Conclude without a pass over A, where the metric's curvature is near enough.

    If the Hessian is at least a share of M it is definite, and the error in its norm is at most
    that in M's over the root of the share.
    """
    if metric is None or metric.curvature is None or eps < DRIFT_UNITS * point.problem.unit:
        return None
    travelled = _travelled(point, start.z)
    solved = metric.solve(point.gradient)
    left = dual_norm(point.gradient, solved)
    for share in METRIC_SHARES:
        error = left / sqrt(share)
        if error > eps * travelled:
            return None
        if exceeds(point.curvature, metric.curvature, share):
            hidden = rounding_along_shift(point) > eps * travelled
            if hidden or metric.smallest_eigenvalue() < TRUSTED:
                return None
            relative = error / travelled if travelled > 0 else 0.0
            return Examination(point, True, relative, step=-solved)
    return None


def _travelled(point: Evaluation, z0: Any) -> float:
    """Return |x - x0| in the norm of the Hessian at x, for z0 = A x0."""
    return sqrt(max(0.0, point.curvature.quadratic(point.z - z0)))


def _is_rounding(point: Evaluation, found: Finding) -> bool:
    """Whether nothing but rounding is left of the gradient, and the minimiser is nearby.

    In the norm of H^-1 the rounding along one direction of little curvature may be larger than all
    of an unfinished step along the others: the gradient's entries have to be rounding as well.
    """
    if not is_noise(point) or not found.error <= ROUNDING_UNITS * found.norm(gradient_noise(point)):
        return False
    xp = array_namespace(point.z)
    matrix = point.problem.matrix
    moved = float(xp.max(xp.abs(matrix.matmul(found.step))))
    unit = point.problem.unit
    rounded = PERTURBATION_UNITS * unit * float(xp.max(xp.abs(point.z)))
    return moved <= sqrt(unit) + min(PERCEPTIBLE, rounded)
