"""Sparse matrices with a few dense columns: a Gram matrix in three parts.

A row with l entries has l^2 products in A^T D A, each of which costs a sparse product some ten
nanoseconds. Where a few columns hold much of every row, as single letters do among the n-grams of
words, most of these products are with them, and BLAS makes those at a hundredth of the price:
with A = [S, C], C the dense columns,

    A^T D A = [S^T D S, S^T D C; C^T D S, C^T D C],

and only S^T D S is a sparse product.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from softres.matrices.symmetric import BlockSum, add_rows

__all__ = ["ColumnSplit", "split_columns"]

#: Numbers of dense columns that are considered.
COUNTS = (8, 16, 32, 64, 128, 256)
#: Rows that the products are counted in.
SAMPLE_ROWS = 4_000
#: Prices in nanoseconds: a product of two sparse entries, one in a dense symmetric update, one of a
#: sparse entry and a dense row, and an entry that is made dense.
PAIR, DENSE, MIXED, FILL = 12.0, 0.03, 0.3, 2.0
#: Predicted price of the parts, over that of the whole, up to which a split is worth its memory.
WORTH = 0.75
#: Bytes of a block of dense rows.
BUFFER_BYTES = 16 << 20


@dataclass(frozen=True)
class ColumnSplit:
    """A matrix in two: dense columns, and the others.

    Attributes
    ----------
    columns
        The dense columns, shape (p,).
    dense
        Their entries, CSR of shape (n, p).
    rest
        The others' entries, CSR of shape (n, d): columns keep their places.
    price
        Predicted price of the parts over that of the whole.
    """

    columns: npt.NDArray[np.int64]
    dense: Any
    rest: Any
    price: float

    def add_dense(
        self, total: npt.NDArray[Any], weights: Any, rows: npt.NDArray[np.int64] | None
    ) -> None:
        """Add to A^T D A, which holds S^T D S, what the dense columns have a part in.

        Parameters
        ----------
        total
            Shape (d, d).
        weights
            D, of any sign, one for each row.
        rows
            Row numbers; all rows where ``None``.
        """
        dense = self.dense if rows is None else self.dense[rows]
        rest = self.rest if rows is None else self.rest[rows]
        n, p = dense.shape
        step = max(64, BUFFER_BYTES // (8 * p))
        buffer = np.empty((min(step, n), p), dtype=total.dtype)
        inner = BlockSum(p, total.dtype, min(1024, len(buffer)))
        mixed = np.zeros((total.shape[0], p), dtype=total.dtype)
        for start in range(0, n, step):
            part = slice(start, min(start + step, n))
            block, weight = buffer[: part.stop - start], weights[part]
            dense[part].toarray(out=block)
            add_rows(inner, block, weight, None)
            block *= weight[:, None]
            mixed += rest[part].T @ block
        total[:, self.columns] += mixed
        total[self.columns] += mixed.T
        total[np.ix_(self.columns, self.columns)] += inner.total(total.dtype)


def split_columns(array: Any) -> ColumnSplit | None:
    """Return a CSR array split where a Gram matrix is predicted to cost less so, else ``None``."""
    n, d = array.shape
    stride = max(1, n // SAMPLE_ROWS)
    sample = array[::stride] if stride > 1 else array
    counts = np.bincount(sample.indices, minlength=d)
    order = np.argsort(-counts, kind="stable")
    row_of = np.repeat(np.arange(sample.shape[0]), np.diff(sample.indptr))
    place = np.empty(d, dtype=np.int64)
    place[order] = np.arange(d)
    places = place[sample.indices]

    def price(p: int) -> float:
        left = row_of[places >= p]
        rows = sample.shape[0]
        lengths = np.bincount(left, minlength=rows).astype(float)
        # Rows with many entries are multiplied dense.
        remaining = min(PAIR * float(lengths @ lengths), (DENSE * d + FILL) * rows * d)
        return float(remaining + (DENSE * p + FILL) * rows * p + MIXED * len(left) * p)

    whole = price(0)
    best = min((p for p in COUNTS if p < d), key=price, default=0)
    if not best or price(best) > WORTH * whole:
        return None
    columns = np.sort(order[:best])
    chosen = np.zeros(d, dtype=bool)
    chosen[columns] = True
    is_dense = chosen[array.indices]
    renamed = np.cumsum(chosen) - 1
    dense = _entries(array, is_dense, renamed[array.indices[is_dense]], best)
    rest = _entries(array, ~is_dense, array.indices[~is_dense], d)
    return ColumnSplit(columns, dense, rest, price(best) / whole)


def _entries(array: Any, keep: npt.NDArray[np.bool_], columns: Any, width: int) -> Any:
    """Return the chosen entries of a CSR array in these columns."""
    before = np.concatenate([[0], np.cumsum(keep)])
    pointers = before[array.indptr]
    return sparse.csr_array((array.data[keep], columns, pointers), shape=(array.shape[0], width))
