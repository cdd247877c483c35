"""A factored Hessian, or Gauss-Newton matrix, for each of many targets."""

from __future__ import annotations

from math import sqrt
from typing import Any

import numpy as np
import numpy.typing as npt

from softres.common.arrays import array_namespace
from softres.linalg.factors import CholeskyFactor, cholesky
from softres.matrices.backends import as_numpy
from softres.problems import Problem
from softres.solvers.many.grams import weighted_grams
from softres.solvers.many.model import RowModel, chunks

__all__ = ["factor_all"]

#: Least eigenvalue, relative to a unit diagonal, that a matrix formed in float32 is trusted with.
SINGLE_NOISE = 1e-5
#: Multiples of the identity, over the largest diagonal entry, for a singular matrix.
RIDGES = (1e-10, 1e-8, 1e-6)

Floats = npt.NDArray[np.float64]


def factor_all(
    problem: Problem, z: Any, targets: Any, gauss_newton: bool, single: bool
) -> list[CholeskyFactor | None]:
    """Return a factor for each target, ``None`` where there is none to the arithmetic's rounding.

    Parameters
    ----------
    problem
        Any of the targets' problems.
    z, targets
        A x and b (n b for plain problems) as rows, shape (k, n).
    gauss_newton
        Factor F^T F + W^2 over A in place of the Hessian.
    single
        Form Gram matrices in float32. Where that loses too much there is no factor.
    """
    grams, lost = _matrices(problem, z, targets, gauss_newton, single)
    n, d = problem.matrix.shape
    unit = float(np.finfo(as_numpy(grams[:0]).dtype).eps)
    noise = max(SINGLE_NOISE if single else 0.0, 10.0 * (d + sqrt(n)) * unit)
    # Rounding is relative to the entries before the rank-two part cancelled some of them.
    return [
        cholesky(gram, None, noise * part) if noise * part < 1.0 else None
        for gram, part in zip(grams, lost, strict=True)
    ]


def factor_ridged(problem: Problem, z: Any, targets: Any) -> list[CholeskyFactor | None]:
    """Return factors of Gauss-Newton matrices with just enough of the identity added."""
    grams, _ = _matrices(problem, z, targets, True, False)
    xp = array_namespace(grams)
    found: list[CholeskyFactor | None] = []
    for gram in grams:
        largest = float(xp.max(xp.linalg.diagonal(gram)))
        eye = xp.eye(gram.shape[0], dtype=gram.dtype, device=gram.device)
        tries = (cholesky(gram + share * largest * eye) for share in RIDGES)
        found.append(next((factor for factor in tries if factor is not None), None))
    return found


def _matrices(
    problem: Problem, z: Any, targets: Any, gauss_newton: bool, single: bool
) -> tuple[Any, Floats]:
    """Return the matrices, shape (k, d, d), and by how much cancellation magnifies rounding."""
    xp, k = array_namespace(z), len(z)
    weights = xp.empty_like(z)
    pair = [xp.empty_like(z), xp.empty_like(z)] if problem.coupled() else []
    for part in chunks(problem, k):
        curvature = RowModel(problem, z[part], targets[part]).curvature(gauss_newton)
        weights[part] = curvature.diagonal
        if pair:
            pair[0][part], pair[1][part] = curvature.v, curvature.h
    with np.errstate(all="ignore"):
        grams = weighted_grams(problem.matrix, weights, single)
        if not pair:
            return grams, np.ones(k)
        left, right = (problem.matrix.rmatmul(rows.T).T for rows in pair)
        before = xp.linalg.diagonal(grams)
        outer = left[:, :, None] * right[:, None, :]
        grams = grams + outer
        grams += xp.permute_dims(outer, (0, 2, 1))
        magnified = as_numpy(xp.max(xp.abs(before / xp.linalg.diagonal(grams)), axis=1))
    return grams, np.nan_to_num(np.maximum(magnified, 1.0), nan=np.inf).astype(np.float64)
