"""The Hessian itself: formed, factored, and where it is nearly singular taken apart by size."""

from __future__ import annotations

from math import inf
from typing import Any

import numpy as np
import numpy.typing as npt

from softres.common.arrays import dual_norm
from softres.common.arrays import norm as length
from softres.linalg.factors import cholesky
from softres.problems.evaluation import Evaluation
from softres.solvers.optimality.finding import Finding
from softres.solvers.optimality.nearly_singular import Directions, NearlySingular
from softres.solvers.optimality.rounding import on_host

__all__ = ["examine_dense"]

Matrix = npt.NDArray[np.float64]
Vector = npt.NDArray[np.float64]

#: Eigenvalues below this share of the largest are looked at again, from the products with A.
LOW = 1e-6


def examine_dense(point: Evaluation, *, blurred: bool = False) -> Finding:
    """Look at a point with its Hessian, all columns of A scaled to one.

    Where that is definite beyond rounding a Cholesky factor tells all. Where it is not, its
    eigenvectors of large curvature are right, but along the others a Gram matrix holds rounding
    alone. Their curvature is found again from the products A q, whose rounding is relative to their
    own size: what the Gram matrix of a badly conditioned A has lost is still there.

    One Gram matrix; d further passes, at most three for each direction, where it is singular.

    Parameters
    ----------
    point
        Where to look.
    blurred
        Whether the gradient's rounding may hide a slope along a common shift of z, that a factor of
        the Hessian takes as it is.
    """
    matrix = point.problem.matrix
    scale = on_host(matrix.column_scale)
    gram = matrix.gram(point.curvature.weights)
    before = np.abs(on_host(gram).diagonal().copy())
    H = on_host(point.curvature.hessian(matrix, gram)) / scale[:, None] / scale[None, :]
    g = on_host(point.gradient) / scale
    if not (np.isfinite(H).all() and np.isfinite(g).all()):
        return Finding(None, inf, None, lambda y: inf)
    # What the rank-two part cancels leaves the rounding of what was there before.
    largest = float(np.max(before / scale / scale, initial=0.0))
    size = max(largest, float(np.abs(H).max()))
    noise = point.problem.gram_noise * size
    # Cholesky's own test is relative to the largest diagonal entry.
    top = float(H.diagonal().max())
    factor = cholesky(H, np.ones(len(g)), noise / top) if top > noise else None
    if factor is None or (blurred and factor.smallest_eigenvalue() * top <= LOW * size):
        least = LOW * size if blurred else 10.0 * noise
        return _take_apart(point, H, g, scale, least, blurred)

    def norm(y: Any) -> float:
        scaled = on_host(y) / scale
        return dual_norm(scaled, factor.solve(scaled))

    solved = factor.solve(g)
    return Finding(None, dual_norm(g, solved), matrix.asarray(-solved / scale), norm)


def _take_apart(
    point: Evaluation, H: Matrix, g: Vector, scale: Vector, least: float, blurred: bool
) -> Finding:
    """Look at a point whose Hessian's curvatures up to ``least`` may be rounding."""
    matrix = point.problem.matrix
    values, vectors = np.linalg.eigh(H)
    top = float(np.abs(values).max())
    low = np.abs(values) <= max(LOW * top, least)
    if (values[~low] < 0).any():
        return _saddle(point, vectors[:, 0] / scale)
    high = Directions(vectors[:, ~low], values[~low])
    slopes = high.q.T @ g
    step = -high.q @ (slopes / high.curvature)
    errors, unseen = [slopes / np.sqrt(high.curvature)], False
    parts = [high]
    if low.any():
        found = NearlySingular(point, vectors[:, low], high, scale, blurred)
        if found.downhill is not None:
            return _saddle(point, found.downhill / scale)
        step = step - found.seen.q @ (found.slopes / found.seen.curvature)
        errors.append(found.slopes / np.sqrt(found.seen.curvature))
        unseen = found.unseen
        parts.append(found.seen)

    def norm(y: Any) -> float:
        scaled = on_host(y) / scale
        return length(
            np.concatenate([part.q.T @ scaled / np.sqrt(part.curvature) for part in parts])
        )

    error = inf if unseen else length(np.concatenate(errors))
    return Finding(None, error, matrix.asarray(step / scale), norm)


def _saddle(point: Evaluation, direction: Vector) -> Finding:
    return Finding(point.problem.matrix.asarray(direction), inf, None, lambda y: inf)
