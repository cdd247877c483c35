"""Sparse A, as a SciPy CSR array or a torch CSR tensor."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from softres.common.arrays import beyond, for_torch
from softres.matrices.base import DesignMatrix, Index
from softres.matrices.dense import BLOCK_BYTES, DEVICE_BLOCK_BYTES
from softres.matrices.dense_columns import ColumnSplit, split_columns
from softres.matrices.row_pairs import RowPairs, row_pairs
from softres.matrices.symmetric import BlockSum, block_rows, by_sign

__all__ = ["SparseScipy", "SparseTorch", "csr_tensor", "quiet_csr"]

#: Stored entries of one row block of a sparse weighted Gram.
BLOCK_ENTRIES = 1 << 18
#: Time of one multiplication in SciPy's sparse product, in those of BLAS's symmetric update:
#: about 10 ns against 0.03 ns for each of the d^2 products of a dense row.
SPARSE_RATE = 300
#: Gram matrices over all rows after which the products of each row's entries are kept, for as many
#: cost as much as to make these; and how many products at most, over the entries of A.
PAIRS_AFTER, MOST_PAIRS = 4, 3.5


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


class SparseTorch(DesignMatrix):
    """A as a torch CSR tensor, with its transpose kept beside it for products with A^T."""

    backend: ClassVar[str] = "torch"
    is_sparse: ClassVar[bool] = True

    def __init__(self, tensor: Any) -> None:
        super().__init__()
        self.tensor = tensor
        self._crow = tensor.crow_indices()
        self._columns = tensor.col_indices()
        self._values = tensor.values()
        self._transpose: Any | None = None
        self._edges: dict[int, list[int]] = {}

    def __getstate__(self) -> dict[str, Any]:
        """Leave out the CSR tensors: what rebuilds them would warn, and they are made of the rest.

        The transpose is made again where it is needed.
        """
        return self.__dict__ | {"tensor": None, "_transpose": None, "_shape": self.shape}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Make the CSR tensor from its parts."""
        shape = state.pop("_shape")
        self.__dict__.update(state)
        self.tensor = csr_tensor(self._crow, self._columns, self._values, shape)

    def in_double(self) -> DesignMatrix | None:
        """Return A in float64; see :meth:`DesignMatrix.in_double`."""
        double = self.tensor.double()
        return None if double is self.tensor else SparseTorch(double)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows n and columns d."""
        n, d = self.tensor.shape
        return int(n), int(d)

    @property
    def nnz(self) -> int:
        """Stored entries."""
        return int(self._values.numel())

    def asarray(self, values: Any) -> Any:
        """Return the values as a tensor of A's dtype on A's device."""
        import torch

        return torch.as_tensor(
            for_torch(values), dtype=self._values.dtype, device=self._values.device
        )

    def _matmul(self, x: Any) -> Any:
        return self.tensor @ x

    def _rmatmul(self, y: Any) -> Any:
        # torch has no fast product with a CSR tensor's transpose: its CSR form is made once.
        if self._transpose is None:
            self._transpose = self._make_transpose()
        return self._transpose @ y

    def _make_transpose(self) -> Any:
        import torch

        n, d = self.shape
        row_of = torch.repeat_interleave(
            torch.arange(n, device=self._crow.device), self._crow.diff()
        )
        order = torch.argsort(self._columns, stable=True)
        counts = torch.bincount(self._columns, minlength=d)
        crow = torch.cat([counts.new_zeros(1), counts.cumsum(0)])
        return csr_tensor(crow, row_of[order], self._values[order], (d, n))

    def _slice(self, start: int, stop: int, first: int, last: int) -> Any:
        """Return the rows from start to stop, whose entries lie from first to last."""
        return csr_tensor(
            self._crow[start : stop + 1] - first,
            self._columns[first:last],
            self._values[first:last],
            (stop - start, self.shape[1]),
        )

    def _take(self, at: Any) -> Any:
        """Return the rows A[at] as a CSR tensor, for row numbers on A's device."""
        import torch

        lengths = self._crow.diff()[at]
        crow = torch.cat([lengths.new_zeros(1), lengths.cumsum(0)])
        within = torch.arange(int(crow[-1]), device=at.device)
        within = within - torch.repeat_interleave(crow[:-1], lengths)
        take = torch.repeat_interleave(self._crow[:-1][at], lengths) + within
        size = (len(at), self.shape[1])
        return csr_tensor(crow, self._columns[take], self._values[take], size)

    def _gram(self, weights: Any, rows: Index | None, single: bool) -> Any:
        import torch

        d, count = self.shape[1], len(weights)
        dtype = torch.float32 if single else self._values.dtype
        at = None if rows is None else torch.as_tensor(rows, device=self._crow.device)
        # Row blocks are made dense one at a time: torch has no sparse-sparse product everywhere.
        on_host = self._values.device.type == "cpu"
        budget = 4 * BLOCK_BYTES if on_host else DEVICE_BLOCK_BYTES // 16
        step = block_rows(d, self._values.element_size(), budget)
        total = self._values.new_zeros((d, d), dtype=dtype)
        # Where the blocks' entries begin: a device's are read once for all solves.
        if at is None and step not in self._edges:
            last = self._crow.shape[0] - 1
            rows_at = [*range(0, count, step), last]
            self._edges[step] = self._crow[
                torch.as_tensor(rows_at, device=self._crow.device)
            ].tolist()
        for start in range(0, count, step):
            stop = min(start + step, count)
            if at is None:
                first, last = self._edges[step][start // step : start // step + 2]
                chosen = self._slice(start, stop, first, last)
            else:
                chosen = self._take(at[start:stop])
            block = chosen.to_dense().to(dtype)
            total.addmm_((block * weights[start:stop, None].to(dtype)).T, block)
        return (0.5 * (total + total.T)).to(self._values.dtype)

    def _column_norms(self) -> Any:
        zeros = self._values.new_zeros(self.shape[1])
        norms = zeros.index_add(0, self._columns, self._values**2).sqrt()
        if bool(beyond(norms).any()):
            largest = zeros.scatter_reduce(0, self._columns, self._values.abs(), "amax")
            scaled = self._values / largest.where(largest > 0, 1.0)[self._columns]
            norms = largest * zeros.index_add(0, self._columns, scaled**2).sqrt()
        return norms

    def sketch(self, embedding: Any) -> Any:
        """Return S A; see :meth:`DesignMatrix.sketch`."""
        # (A^T S^T)^T: the embedding has few rows, so its dense transpose is affordable in blocks.
        transposed = embedding.T.tocsr()
        step = max(1, DEVICE_BLOCK_BYTES // (8 * transposed.shape[0]))
        parts = [
            self._rmatmul(self.asarray(transposed[:, start : start + step].toarray()))
            for start in range(0, transposed.shape[1], step)
        ]
        import torch

        return torch.cat(parts, dim=1).T

    def rows(self, index: npt.NDArray[Any]) -> SparseTorch:
        """Return the rows A[index]."""
        import torch

        return SparseTorch(self._take(torch.as_tensor(index, device=self._crow.device)))


def csr_tensor(crow: Any, columns: Any, values: Any, size: tuple[int, int]) -> Any:
    """Return a torch CSR tensor from its row pointers, column indices and values."""
    import torch

    with quiet_csr():
        return torch.sparse_csr_tensor(crow, columns, values, size=size, check_invariants=False)


@contextmanager
def quiet_csr() -> Iterator[None]:
    """Silence torch's remark, once a process, that its CSR tensors are in beta."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Sparse CSR tensor support", category=UserWarning)
        yield
