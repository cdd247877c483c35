"""Sparse subspace embeddings S of shape (m, n): |S y| is close to |y| on a d-dimensional space."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from softres.common.errors import InputError
from softres.matrices import DesignMatrix
from softres.matrices.backends import as_numpy
from softres.sketching.banded import NONZEROS, Banded

__all__ = ["EMBEDDINGS", "embedding", "sketch"]

#: Nonzeros a column of each embedding: CountSketch (Clarkson and Woodruff, 2013) has one, the
#: sparse sign embedding (Nelson and Nguyen, 2013; OSNAP) several, anywhere; the banded one has
#: them in two bands of neighbouring rows.
EMBEDDINGS = {"banded_sign": NONZEROS, "count_sketch": 1, "sparse_sign": 8}


def embedding(name: str, m: int, n: int, rng: np.random.Generator) -> sparse.csc_array:
    """Return a random m x n embedding in CSC format, with entries +-1/sqrt(nonzeros a column).

    With m = 4 d rows the sparse sign embedding keeps the Gram matrix of any A within a small
    constant factor, and the banded one does nearly as well. CountSketch with as few rows does
    not: two rows of leverage near one that fall into one bucket are lost, so it wants m of order
    d^2.

    The banded one is made for dense products with A, see :class:`softres.sketching.banded.Banded`;
    BLAS does them at several times the speed of sparse ones.

    Parameters
    ----------
    name
        One of :data:`EMBEDDINGS`.
    m, n
        Rows and columns.
    rng
        Source of the signs and places.

    Raises
    ------
    InputError
        If the name is unknown.
    """
    if name not in EMBEDDINGS:
        raise InputError(f"embedding={name}: allowed are {', '.join(EMBEDDINGS)}")
    if name == "banded_sign":
        return Banded(m, n, rng).tocsc()
    nonzeros = min(EMBEDDINGS[name], m)
    pointers = np.arange(0, n * nonzeros + 1, nonzeros)
    # One nonzero in each of `nonzeros` equal bands of rows: distinct places without rejection.
    edges = np.linspace(0, m, nonzeros + 1).astype(np.int64)
    heights = np.diff(edges)
    places = (rng.random((n, nonzeros)) * heights).astype(np.int64) + edges[:-1]
    signs = rng.integers(0, 2, size=(n, nonzeros), dtype=np.int8) * 2.0 - 1.0
    data = signs.ravel() / np.sqrt(nonzeros)
    return sparse.csc_array((data, places.ravel(), pointers), shape=(m, n))


def sketch(
    matrix: DesignMatrix, scale: Any, name: str, m: int, rng: np.random.Generator
) -> npt.NDArray[Any]:
    """Return S diag(scale) A, shape (m, d) and on the host, for a random embedding S.

    The scale, shape (n,), goes into S, so that A itself is neither changed nor copied.
    """
    n = matrix.shape[0]
    factors = as_numpy(scale)
    if name == "banded_sign" and not matrix.is_sparse:
        return Banded(m, n, rng).sketch(matrix, factors)
    S = embedding(name, m, n, rng)
    S.data *= np.repeat(factors, np.diff(S.indptr))
    return as_numpy(matrix.sketch(S))
