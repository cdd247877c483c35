"""A^T diag(D) A in the cheapest way that is accurate enough for a preconditioner."""

from __future__ import annotations

from typing import Any

import numpy as np

from softres.common.arrays import array_namespace, fits_single
from softres.linalg.factors import cholesky
from softres.matrices import DesignMatrix
from softres.sketching import sketch
from softres.solvers.preconditioned import tuning

__all__ = ["form_gram", "form_sketch"]


def form_gram(
    matrix: DesignMatrix, diagonal: Any, single: bool, heavy: bool = True
) -> tuple[Any, bool]:
    """Return A^T diag(D) A, shape (d, d), and whether float32 would serve for any of its rows.

    Parameters
    ----------
    matrix
        A.
    diagonal
        D, shape (n,), of any sign.
    single
        Allow float32 where its rounding and its range cannot matter: the first 2 d rows are taken
        in float64, and if their smallest eigenvalue is far above float32's rounding, the others in
        float32.
        For an A that can be split without a copy.
    heavy
        Where the first rows do not span all directions, as in a coherent A, let the d / 2 heaviest
        of the others join them. Finding these costs a pass, which is lost where that does not help.
    """
    n, d = matrix.shape
    head = tuning.HEAD_ROWS * d
    # A matrix of float32 has nothing to gain.
    parts = matrix.split(head) if single and n >= tuning.SINGLE_ROWS * head else None
    if parts is None or diagonal.dtype != np.float64:
        return matrix.gram(diagonal), False
    first, rest = parts
    total, weights = first.gram(diagonal[:head]), diagonal[head:]
    in_range = fits_single(first.column_scale, np.sqrt(np.abs(np.diagonal(total))))
    smallest = _smallest(total)
    enough = in_range and smallest > tuning.SINGLE_FLOOR
    if smallest == 0.0 and heavy and in_range:
        total += _rest_by_weight(rest, weights, total)
    else:
        total += rest.gram(weights, single=enough)
    matrix.counter.add(grams=1)
    return total, enough


def _rest_by_weight(rest: DesignMatrix, weights: Any, total: Any) -> Any:
    """Return the part of rows that come on top of others which do not span all directions.

    In a coherent A few rows carry some directions alone. With these in float64, the rest adds
    little where the whole is small, and so does its rounding.

    Parameters
    ----------
    rest
        The rows.
    weights
        Their entries of D.
    total
        The others' part.
    """
    count = int(tuning.HEAVY_ROWS * rest.shape[1])
    heavy = np.abs(weights) * rest.squared_row_norms()
    rows = np.argpartition(heavy, len(heavy) - count)[len(heavy) - count :]
    part = rest.gram(weights[rows], rows)
    smallest = _smallest(total + part)
    weights = weights.copy()
    weights[rows] = 0.0
    if smallest == 0.0:
        return part + rest.gram(weights)
    light = rest.gram(weights, single=True)
    if _rounding(light, total + part, smallest) > tuning.TOLERATED:
        # More rows raise the smallest eigenvalue as a rule; rounding may have sunk it.
        whole = total + part + light
        smallest = _smallest(whole)
        if smallest == 0.0 or _rounding(light, whole, smallest) > tuning.TOLERATED:
            light = rest.gram(weights)
    return part + light


def _rounding(light: Any, beside: Any, smallest: float) -> float:
    """Return the error of rows taken in float32, relative to a matrix of that least eigenvalue."""
    unit = float(np.finfo(np.float32).eps) / 2.0
    return unit * float(np.max(np.diagonal(light) / np.diagonal(beside))) / smallest


def _smallest(gram: Any) -> float:
    """Estimate the smallest eigenvalue, the diagonal scaled to one; 0 where it is rounding."""
    factor = cholesky(gram)
    return 0.0 if factor is None else factor.smallest_eigenvalue()


def form_sketch(
    matrix: DesignMatrix, diagonal: Any, oversampling: int, rng: np.random.Generator
) -> Any:
    """Return B^T B for a sketch B = S diag(D)^(1/2) A of ``oversampling`` x d rows, shape (d, d).

    D must not be negative.
    """
    rows = min(matrix.shape[0], oversampling * matrix.shape[1])
    root = array_namespace(diagonal).sqrt(diagonal)
    reduced = matrix.asarray(sketch(matrix, root, "banded_sign", rows, rng))
    return reduced.T @ reduced
