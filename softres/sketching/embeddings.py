"""Sparse subspace embeddings S of shape (m, n): |S y| is close to |y| on a d-dimensional space."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from softres.errors import InputError

__all__ = ["EMBEDDINGS", "embedding"]

#: Nonzeros a column of each embedding: CountSketch (Clarkson and Woodruff, 2013) has one, the
#: sparse sign embedding (Nelson and Nguyen, 2013; OSNAP) several.
EMBEDDINGS = {"count_sketch": 1, "sparse_sign": 8}


def embedding(name: str, m: int, n: int, rng: np.random.Generator) -> sparse.csc_array:
    """Return a random m x n embedding in CSC format, with entries +-1/sqrt(nonzeros a column).

    With 8 nonzeros a column and m = 4 d rows, the sparse sign embedding keeps the Gram matrix of
    any A within a small constant factor. CountSketch with as few rows does not: two rows of
    leverage near one that fall into one bucket are lost, so it wants m of order d^2.

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
    nonzeros = min(EMBEDDINGS[name], m)
    # One nonzero in each of `nonzeros` equal bands of rows: distinct places without rejection.
    edges = np.linspace(0, m, nonzeros + 1).astype(np.int64)
    heights = np.diff(edges)
    places = (rng.random((n, nonzeros)) * heights).astype(np.int64) + edges[:-1]
    signs = rng.integers(0, 2, size=(n, nonzeros), dtype=np.int8) * 2.0 - 1.0
    pointers = np.arange(0, n * nonzeros + 1, nonzeros)
    data = signs.ravel() / np.sqrt(nonzeros)
    return sparse.csc_array((data, places.ravel(), pointers), shape=(m, n))
