"""Sparse A, as a SciPy CSR array."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from softres.common.arrays import beyond
from softres.matrices.base import DesignMatrix, Index
from softres.matrices.dense import BLOCK_BYTES
from softres.matrices.dense_columns import ColumnSplit, split_columns
from softres.matrices.row_pairs import RowPairs, row_pairs
from softres.matrices.symmetric import BlockSum, block_rows, by_sign

__all__ = ["SparseScipy"]

#: Stored entries of one row block of a sparse weighted Gram.
BLOCK_ENTRIES = 1 << 18
#: Time of one multiplication in SciPy's sparse product, in those of BLAS's symmetric update:
#: about 10 ns against 0.03 ns for each of the d^2 products of a dense row.
SPARSE_RATE = 300
#: Gram matrices over all rows after which the products of each row's entries are kept: two to four
#: cost as much as to make these, and many solves need no more; how many at most, over A's entries.
PAIRS_AFTER, MOST_PAIRS = 8, 3.5


class SparseScipy(DesignMatrix):
    """A as a SciPy CSR array; it is referred to, not copied."""

    backend: ClassVar[str] = "numpy"
    is_sparse: ClassVar[bool] = True

    def __init__(self, array: Any) -> None:
        super().__init__()
        self.array = array
        self._full_grams = 0

    def in_double(self) -> DesignMatrix | None:
        """Return A in float64; see :meth:`DesignMatrix.in_double`."""
        if self.array.dtype == np.float64:
            return None
        return SparseScipy(self.array.astype(np.float64))

    @property
    def shape(self) -> tuple[int, int]:
        """Rows n and columns d."""
        n, d = self.array.shape
        return int(n), int(d)

    @property
    def nnz(self) -> int:
        """Stored entries."""
        return int(self.array.nnz)

    def asarray(self, values: Any) -> Any:
        """Return the values as a NumPy array of A's dtype."""
        return np.asarray(values, dtype=self.array.dtype)

    def _matmul(self, x: Any) -> Any:
        return self.array @ x

    def _rmatmul(self, y: Any) -> Any:
        # The transpose of a CSR array is a CSC view of the same memory.
        return self.array.T @ y

    def __getstate__(self) -> dict[str, Any]:
        """Leave out what was made of A to form Gram matrices: it is made again where needed."""
        return {k: v for k, v in self.__dict__.items() if k not in {"split_columns", "_pairs"}}

    @cached_property
    def split_columns(self) -> ColumnSplit | None:
        """A in dense and other columns, where a Gram matrix costs less so."""
        return split_columns(self.array)

    @cached_property
    def _pairs(self) -> RowPairs | None:
        """The products of each row's entries, without dense columns; ``None`` if they are many."""
        rest = self.array if self.split_columns is None else self.split_columns.rest
        lengths = np.diff(rest.indptr).astype(np.int64)
        count = int((lengths * (lengths + 1) // 2).sum())
        return row_pairs(rest) if count <= MOST_PAIRS * self.nnz else None

    @property
    def pair_products(self) -> float:
        """Products of two entries of a row that a Gram matrix makes, or that cost as much."""
        lengths = np.diff(self.array.indptr).astype(float)
        split = self.split_columns
        return float(lengths @ lengths) * (1.0 if split is None else split.price)

    def _gram(self, weights: Any, rows: Index | None, single: bool) -> Any:
        split = self.split_columns
        rest = self.array if split is None else split.rest
        self._full_grams += rows is None
        n = self.shape[0]
        often = self._full_grams > PAIRS_AFTER
        if often and (rows is None or len(rows) > n // 2) and self._pairs is not None:
            everywhere = weights if rows is None else np.bincount(rows, weights, n)
            total = self._pairs.gram(everywhere.astype(self.array.dtype, copy=False))
        else:
            total = self._sparse_gram(rest, weights, rows)
        if split is not None:
            split.add_dense(total, weights, rows)
        return total

    def _sparse_gram(self, array: Any, weights: Any, rows: Index | None) -> Any:
        d = self.shape[1]
        # Products in single precision would save little here: most time goes into the entries.
        total = np.zeros((d, d), dtype=self.array.dtype)
        dense: BlockSum | None = None
        for block, weight in _blocks(array, weights, rows):
            lengths = np.diff(block.indptr).astype(float)
            if SPARSE_RATE * float(lengths @ lengths) < block.shape[0] * float(d) ** 2:
                scaled = block.copy()
                scaled.data *= np.repeat(weight, np.diff(block.indptr))
                product = (scaled.T @ block).tocoo()
                # Entries of one sparse product are unique: fancy indexing adds each of them once.
                total[product.row, product.col] += product.data
                continue
            if dense is None:
                dense = BlockSum(d, total.dtype, block_rows(d, total.itemsize, BLOCK_BYTES))
            for multiple, roots, part in by_sign(weight, None):
                _add_dense(dense, block if part is None else block[part], roots, multiple)
        return total if dense is None else total + dense.total(total.dtype)

    def _column_norms(self) -> Any:
        columns, data, d = self.array.indices, self.array.data.astype(np.float64), self.shape[1]
        with np.errstate(over="ignore", under="ignore"):
            norms = np.sqrt(np.bincount(columns, weights=data**2, minlength=d))
        if beyond(norms).any():
            largest = np.zeros(d)
            np.maximum.at(largest, columns, np.abs(data))
            scaled = data / np.where(largest > 0, largest, 1.0)[columns]
            norms = largest * np.sqrt(np.bincount(columns, weights=scaled**2, minlength=d))
        return norms.astype(self.array.dtype)

    def sketch(self, embedding: Any) -> Any:
        """Return S A; see :meth:`DesignMatrix.sketch`."""
        return (embedding.tocsr() @ self.array).toarray()

    def rows(self, index: npt.NDArray[Any]) -> SparseScipy:
        """Return the rows A[index]."""
        return SparseScipy(self.array[index])


def _blocks(array: Any, weights: Any, rows: Index | None) -> Iterator[tuple[Any, Any]]:
    """Yield blocks of the chosen rows with few entries each, and their weights."""
    lengths = np.diff(array.indptr)
    ends = np.cumsum(lengths if rows is None else lengths[rows], dtype=np.int64)
    start, before = 0, 0
    while start < len(ends):
        stop = int(np.searchsorted(ends, before + BLOCK_ENTRIES, side="right"))
        stop = max(start + 1, stop)
        chosen = array[start:stop] if rows is None else array[rows[start:stop]]
        yield chosen, weights[start:stop]
        start, before = stop, int(ends[stop - 1])


def _add_dense(total: BlockSum, block: Any, roots: Any, sign: float) -> None:
    """Add a sparse block scaled by roots, shape (rows,), to the sum; dense a part at a time."""
    step = len(total.buffer)
    for start in range(0, block.shape[0], step):
        part = block[start : start + step]
        root = roots[start : start + step]
        scaled = total.buffer[: len(root)]
        part.toarray(out=scaled)
        scaled *= root[:, None]
        total.add(len(root), sign)
