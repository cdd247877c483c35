"""The Hessian by products with it, where a factor of a matrix near it is at hand."""

from __future__ import annotations

from math import inf, sqrt
from typing import Any

import numpy as np
from scipy.linalg import eigh_tridiagonal

from softres.common.arrays import dual_norm
from softres.problems.evaluation import Evaluation
from softres.solvers.optimality.comparison import semidefinite
from softres.solvers.optimality.finding import Finding
from softres.solvers.optimality.metric import Metric

__all__ = ["examine_by_products"]

#: Products before a metric counts as too far from the Hessian.
PRODUCTS = 30
#: Share of the decrement that may be missing.
SHARE = 0.1
#: A standard normal deviate is smaller once in a hundred times.
SMALL_DEVIATE = 0.0125


def examine_by_products(point: Evaluation, metric: Metric) -> Finding | None:
    """Look at a point by products with its Hessian; ``None`` where they do not settle the matter.

    Two passes a product: one or two where M is the Hessian of a point nearby.
    """
    if not semidefinite(point.curvature):
        conclusive, downhill = _least_curvature(point, metric)
        if not conclusive:
            return None
        if downhill is not None:
            return Finding(downhill, inf, None, lambda y: inf)
    return _newton_step(point, metric)


def _least_curvature(point: Evaluation, metric: Metric) -> tuple[bool, Any | None]:
    """Look for a direction of negative curvature by Lanczos's method in the norm of M.

    From a random vector q of length one, with a part q_i along the i-th eigenvector. Of all monic
    polynomials of degree k the characteristic one p of the tridiagonal T has the least
    sum_i q_i^2 p(l_i)^2, the product of the b_j^2 below T's diagonal. An eigenvalue l_i <= 0 while
    T is definite has |p(l_i)| >= det T, so that |q_i| <= prod b_j / det T: once that is smaller
    than a random vector's entry is but once in a hundred times, there is none.

    Returns
    -------
    Whether the matter is settled, and a direction of negative curvature, shape (d,).
    """
    matrix, d = point.problem.matrix, point.problem.d
    deviates = np.random.default_rng(0).standard_normal(d)
    length = float(np.linalg.norm(deviates))
    q, dual = metric.whitened(matrix.asarray(deviates / length))  # q and M q
    chain: list[tuple[Any, Any]] = []
    diagonal: list[float] = []
    below: list[float] = []
    bound, pivot = length, inf
    for k in range(min(PRODUCTS, d)):
        chain.append((q, dual))
        image = point.hvp(q)
        diagonal.append(float(q @ image))
        pivot = diagonal[k] - (below[k - 1] ** 2 / pivot if k else 0.0)
        if not pivot > 0:
            return True, _lowest(chain, diagonal, below)
        rest, dual = metric.solve(image), image
        for _ in range(2):  # once leaves rounding behind
            for other, other_dual in chain:
                share = float(other_dual @ rest)
                rest, dual = rest - share * other, dual - share * other_dual
        below.append(sqrt(max(0.0, float(rest @ dual))))
        bound *= below[k] / pivot
        if bound <= SMALL_DEVIATE:
            return True, None
        q, dual = rest / below[k], dual / below[k]
    return d <= PRODUCTS, None


def _lowest(chain: list[tuple[Any, Any]], diagonal: list[float], below: list[float]) -> Any:
    """Return the combination of Lanczos's vectors along which the curvature is least."""
    if not below:
        return chain[0][0]
    _, vectors = eigh_tridiagonal(diagonal, below, select="i", select_range=(0, 0))
    direction = 0.0
    for weight, (q, _) in zip(vectors[:, 0], chain, strict=True):
        direction = direction + float(weight) * q
    return direction


def _newton_step(point: Evaluation, metric: Metric) -> Finding | None:
    """Solve for Newton's step by conjugate gradients, preconditioned by M.

    Their energy adds up to the squared decrement from below; the gradient that is left, in the
    norm of M^-1, tells when most of it is there.
    """
    residual = -point.gradient
    solved = metric.solve(residual)
    size = first = float(residual @ solved)
    if not size > 0 and bool((residual != 0).any()):
        return None  # its size underflows
    step, squared = 0.0 * solved, 0.0
    direction = solved
    for _ in range(PRODUCTS):
        if not size > 0:
            break
        image = point.hvp(direction)
        curvature = float(direction @ image)
        if not curvature > 0:
            return Finding(direction, inf, None, lambda y: inf)
        length = size / curvature
        step, residual = step + length * direction, residual - length * image
        squared += length * size
        solved = metric.solve(residual)
        size, before = float(residual @ solved), size
        if size <= SHARE * first and length * size <= SHARE * squared:
            break
        direction = solved + (size / before) * direction
    else:
        return None

    def norm(y: Any) -> float:
        return dual_norm(y, metric.solve(y))

    return Finding(None, sqrt(squared), step, norm)
