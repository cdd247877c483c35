"""A^T diag(D) A in the cheapest way that is accurate enough for a preconditioner."""

from __future__ import annotations

from typing import Any

import numpy as np

from softres.arrays import array_namespace
from softres.linalg import cholesky
from softres.matrices import DesignMatrix
from softres.sketching import sketch

__all__ = ["form_gram", "form_sketch"]

#: Smallest eigenvalue, over a unit diagonal, beside which float32's rounding is small.
SINGLE_FLOOR = 2e-6
#: Rows over d that are taken in float64, to see whether float32 will do for the rest.
HEAD = 2


def form_gram(matrix: DesignMatrix, diagonal: Any, single: bool) -> tuple[Any, bool]:
    """Return A^T diag(D) A, shape (d, d), and whether float32 served for it.

    Parameters
    ----------
    matrix
        A.
    diagonal
        D, shape (n,), of any sign.
    single
        Allow float32 where its rounding cannot matter: the first 2 d rows are taken in float64,
        and if their smallest eigenvalue is far above float32's rounding, the others in float32.
        For an A that can be split without a copy.
    """
    n, d = matrix.shape
    head = HEAD * d
    # A matrix of float32 has nothing to gain.
    parts = matrix.split(head) if single and n >= 4 * head else None
    if parts is None or diagonal.dtype != np.float64:
        return matrix.gram(diagonal), False
    first, rest = parts
    total = first.gram(diagonal[:head])
    enough = cholesky(total, None, SINGLE_FLOOR) is not None
    total += rest.gram(diagonal[head:], single=enough)
    matrix.counter.grams += 1
    return total, enough


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
