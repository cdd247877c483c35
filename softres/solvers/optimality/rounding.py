"""How much of a gradient may be rounding."""

from __future__ import annotations

from math import inf, isfinite, sqrt
from typing import Any

import numpy as np
import numpy.typing as npt

from softres.matrices.backends import as_numpy
from softres.problems.evaluation import Evaluation

__all__ = [
    "gradient_noise",
    "is_noise",
    "on_host",
    "rounding_along_shift",
    "rounding_of_slopes",
    "units_of_rounding",
]

#: Units of rounding up to which a slope may be none.
SLOPE_UNITS = 10.0

Vector = npt.NDArray[np.float64]


def rounding_of_slopes(point: Evaluation) -> Vector:
    """Return the size of the rounding in each entry of the gradient in z, shape (n,).

    One unit of rounding for each term before they cancel: u over alpha, whose sum alpha may
    itself be small beside its terms, the target, the weights, and the rounding of z = A x, which
    is taken to be spread over the rows as the entries of A are.
    """
    problem = point.problem
    z, w2 = on_host(point.z), on_host(problem.w2)
    v, curvature = np.sqrt(on_host(point.gauss_newton_diagonal)), on_host(point.curvature.magnitude)
    with np.errstate(over="ignore", invalid="ignore"):
        # Each layer of a model with several has its own z in every row.
        terms = np.tile(on_host(point.terms), problem.layers) + v * np.abs(z)
        moved = on_host(problem.matrix.column_norms) * on_host(point.x)
        spread = np.abs(z) + float(np.linalg.norm(moved)) / sqrt(problem.n)
        sizes = v * terms + w2 * np.abs(z) + curvature * spread + np.abs(on_host(point.gradient_z))
    rounded: Vector = problem.unit * np.nan_to_num(sizes, nan=np.inf)
    return rounded


def gradient_noise(point: Evaluation) -> Any:
    """Return a gradient, shape (d,) and of A's kind, that is nothing but rounding. One pass."""
    matrix = point.problem.matrix
    signs = np.random.default_rng(0).choice((-1.0, 1.0), matrix.shape[0])
    return matrix.rmatmul(matrix.asarray(signs * rounding_of_slopes(point)))


def units_of_rounding(point: Evaluation) -> float:
    """Return the largest entry of the gradient in units of what rounding may make of it.

    Each relative to its column of A; infinite where it is not finite.
    """
    scale = on_host(point.problem.matrix.column_scale)
    with np.errstate(all="ignore"):
        largest = float(np.max(np.abs(on_host(point.gradient)) / scale, initial=0.0))
        size = float(np.linalg.norm(rounding_of_slopes(point)))
    if not isfinite(largest) or not isfinite(size):
        return inf
    return largest / size if size > 0 else (0.0 if largest == 0 else inf)


def rounding_along_shift(point: Evaluation) -> float:
    """Return the error in x, in the norm of the Hessian, that rounding makes of a common shift.

    Where the data do not see a common shift of z, their slopes v_i q_i sum to zero, and as computed
    to the rounding of what cancels. Nothing but the weights answers it. 0 where there are none, or
    where the data see the shift.
    """
    problem = point.problem
    if not problem.shift_invariant:
        return 0.0
    ridge = problem.n * float(np.mean(on_host(problem.w2)))
    if not ridge > 0:
        return 0.0
    f, c = on_host(point.f), on_host(point.c)
    cancelled = float(np.abs(f) @ (np.abs(c) + abs(float(f @ c))))
    return problem.unit * cancelled / sqrt(ridge)


def is_noise(point: Evaluation) -> bool:
    """Whether a gradient may be nothing but rounding."""
    return units_of_rounding(point) <= SLOPE_UNITS


def on_host(values: Any) -> npt.NDArray[np.float64]:
    """Return an array of any backend on the host, in float64."""
    host: npt.NDArray[np.float64] = as_numpy(values).astype(np.float64, copy=False)
    return host
