"""Sparse subspace embeddings S of shape (m, n): |S y| is close to |y| on a d-dimensional space."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from softres.backends import as_numpy
from softres.errors import InputError
from softres.matrices import DesignMatrix

__all__ = ["EMBEDDINGS", "embedding", "sketch"]

#: Nonzeros a column of each embedding: CountSketch (Clarkson and Woodruff, 2013) has one, the
#: sparse sign embedding (Nelson and Nguyen, 2013; OSNAP) several, anywhere; the banded one has
#: them in two bands of neighbouring rows.
EMBEDDINGS = {"banded_sign": 16, "count_sketch": 1, "sparse_sign": 8}
#: Independent groupings of the rows in the banded embedding.
GROUPINGS = 2


@dataclass(frozen=True)
class _Group:
    """Rows of A that share a band of rows of S A, and their signs over the root of the nonzeros."""

    start: int
    rows: npt.NDArray[np.int64]
    entries: npt.NDArray[np.float64]


def embedding(name: str, m: int, n: int, rng: np.random.Generator) -> sparse.csc_array:
    """Return a random m x n embedding in CSC format, with entries +-1/sqrt(nonzeros a column).

    With m = 4 d rows the sparse sign embedding keeps the Gram matrix of any A within a small
    constant factor, and the banded one does nearly as well. CountSketch with as few rows does
    not: two rows of leverage near one that fall into one bucket are lost, so it wants m of order
    d^2.

    The banded embedding puts the rows of A into groups at random, twice; a group is compressed
    by a dense sign matrix of 8 rows into a band of its own. Products with it are dense products,
    which BLAS does at several times the speed of sparse ones. The random grouping keeps coherent
    neighbours apart, and the second one separates those that meet in the first: with one
    grouping, d rows of leverage one cost a condition of 10^3 where two give 14.

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
    pointers = np.arange(0, n * nonzeros + 1, nonzeros)
    if name == "banded_sign":
        places = np.empty((n, nonzeros), dtype=np.int64)
        data = np.empty((n, nonzeros))
        filled = np.zeros(n, dtype=np.int64)
        for group in _groups(m, n, rng):
            for offset, row in enumerate(group.entries):
                places[group.rows, filled[group.rows]] = group.start + offset
                data[group.rows, filled[group.rows]] = row
                filled[group.rows] += 1
        return sparse.csc_array((data.ravel(), places.ravel(), pointers), shape=(m, n))
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
    n, d = matrix.shape
    factors = as_numpy(scale)
    if name == "banded_sign" and not matrix.is_sparse:
        reduced = np.zeros((m, d))
        groups = _groups(m, n, rng)
        parts = ((group.entries * factors[group.rows], group.rows) for group in groups)
        for group, part in zip(groups, matrix.compress_each(parts), strict=True):
            reduced[group.start : group.start + len(part)] += as_numpy(part)
        return reduced
    S = embedding(name, m, n, rng)
    S.data *= np.repeat(factors, np.diff(S.indptr))
    return as_numpy(matrix.sketch(S))


def _groups(m: int, n: int, rng: np.random.Generator) -> list[_Group]:
    """Draw the banded embedding: rows 0 to n - 1 in random groups of equal size, per grouping."""
    nonzeros = min(EMBEDDINGS["banded_sign"], m)
    groups = []
    # Each grouping has its own part of the m rows, and there bands that cover it; the last ones
    # overlap where its height is no multiple of theirs.
    parts = np.linspace(0, m, GROUPINGS + 1).astype(np.int64) if nonzeros > 1 else [0, m]
    heights = np.diff(np.linspace(0, nonzeros, len(parts)).astype(np.int64))
    for first, last, height in zip(parts[:-1], parts[1:], heights, strict=True):
        bands = -(-(last - first) // height)
        starts = np.linspace(first, last - height, bands).astype(np.int64)
        order = rng.permutation(n)
        signs = rng.integers(0, 2, size=(height, n), dtype=np.int8)
        edges = np.linspace(0, n, bands + 1).astype(np.int64)
        for band, start in enumerate(starts):
            chosen = slice(edges[band], edges[band + 1])
            entries = (signs[:, chosen] * 2.0 - 1.0) / np.sqrt(nonzeros)
            # Which sign falls to which row is random anyway: ascending rows are read faster.
            groups.append(_Group(int(start), np.sort(order[chosen]), entries))
    return groups
