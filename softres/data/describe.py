"""The figures of an instance that say how hard it is: spectrum, coherence, shape of b."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from softres.data.instance import Instance
from softres.linalg.spectrum import Spectrum, spectrum_of_gram
from softres.matrices import StreamedMatrix, as_matrix

__all__ = ["Description", "describe", "leverage_scores"]

Vector = npt.NDArray[np.float64]

#: Numbers that a block of rows may take.
BLOCK_ENTRIES = 1 << 22


@dataclass(frozen=True)
class Description:
    """Figures of an instance.

    Attributes
    ----------
    n, d, nnz
        Size of A and its non-zero entries.
    spectrum
        Rank and extreme singular values of A.
    coherence
        Largest leverage score times n / rank: 1 where all rows matter alike, n / rank where one
        row is alone in its direction.
    alone
        Rows of leverage one.
    entropy
        Of b in nats; ln n where b is uniform.
    zeros
        Share of zeros in b.
    """

    n: int
    d: int
    nnz: int
    spectrum: Spectrum
    coherence: float
    alone: int
    entropy: float
    zeros: float


def describe(instance: Instance) -> Description:
    """Return the figures of an instance, from one eigendecomposition of A^T A.

    Takes about a minute at d = 4500; squaring limits it to condition 1e8 as in
    :func:`softres.linalg.spectrum.spectrum`. An A on disk is read three times.
    """
    n, d = instance.shape
    matrix = as_matrix(instance.A)
    values, vectors = np.linalg.eigh(matrix.gram(matrix.asarray(np.ones(n))))
    found = spectrum_of_gram(values)
    scores = leverage_scores(instance.A, values, vectors, found.rank)
    positive = instance.b[instance.b > 0] / instance.b.sum()
    return Description(
        n=n,
        d=d,
        nnz=_nonzeros(instance.A),
        spectrum=found,
        coherence=float(scores.max()) * n / max(1, found.rank),
        alone=int(np.count_nonzero(scores > 1 - 1e-6)),
        entropy=float(-(positive @ np.log(positive))),
        zeros=float(np.mean(instance.b == 0)),
    )


def leverage_scores(A: Any, values: Vector, vectors: Any, rank: int) -> Vector:
    """Return the leverage score of each row, a_i^T (A^T A)^+ a_i.

    Parameters
    ----------
    A
        n x d, dense, CSR or on disk; it is read in row blocks and never made dense.
    values, vectors
        Eigenvalues of A^T A, ascending, shape (d,), and its eigenvectors as columns.
    rank
        How many of the eigenvalues, the last ones, count as not zero.

    Returns
    -------
    Scores of shape (n,); their sum is the rank.
    """
    if rank == 0:
        return np.zeros(A.shape[0])
    root = vectors[:, -rank:] / np.sqrt(values[-rank:])
    if sparse.issparse(A):
        return _sparse_scores(A, root @ root.T)
    return np.concatenate([np.square(block @ root).sum(axis=1) for block in _row_blocks(A)])


def _nonzeros(A: Any) -> int:
    if sparse.issparse(A):
        return int(np.count_nonzero(A.data))
    return sum(int(np.count_nonzero(block)) for block in _row_blocks(A))


def _row_blocks(A: Any) -> Iterator[npt.NDArray[Any]]:
    """Yield a dense A, or one on disk, a block of rows in memory at a time."""
    n, d = A.shape
    step = max(1, BLOCK_ENTRIES // d)
    for start in range(0, n, step):
        stop = min(n, start + step)
        yield A.part(start, stop).toarray() if isinstance(A, StreamedMatrix) else A[start:stop]


def _sparse_scores(A: Any, inverse: Any) -> Vector:
    """Sum a_ij a_ik P_jk over the pairs of entries of each row: nnz^2 / n work, not n d rank."""
    lengths = np.diff(A.indptr).astype(np.int64)
    limits = np.concatenate([[0], np.cumsum(lengths**2)])
    scores = np.zeros(A.shape[0])
    start = 0
    while start < len(scores):
        beyond = int(np.searchsorted(limits, limits[start] + BLOCK_ENTRIES, side="right")) - 1
        stop = max(start + 1, beyond)
        first, last = A.indptr[start], A.indptr[stop]
        columns, data, row = A.indices[first:last], A.data[first:last], lengths[start:stop]
        # Entry e of a row of r entries meets each of the r entries of that row.
        times = np.repeat(row, row)
        row_start = np.repeat(np.cumsum(row) - row, row)
        one = np.repeat(np.arange(len(columns)), times)
        other = np.arange(len(one)) - np.repeat(np.cumsum(times) - times - row_start, times)
        terms = data[one] * data[other] * inverse[columns[one], columns[other]]
        row_of = np.repeat(np.arange(stop - start), row**2)
        scores[start:stop] = np.bincount(row_of, terms, minlength=stop - start)
        start = stop
    return scores
