"""Sparse A, as a SciPy CSR array or a torch CSR tensor."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from softres.matrices.base import DesignMatrix
from softres.matrices.dense import DEVICE_BLOCK_BYTES, block_rows

__all__ = ["SparseScipy", "SparseTorch", "csr_tensor", "quiet_csr"]

#: Stored entries of one row block of a sparse weighted Gram.
BLOCK_ENTRIES = 1 << 20


class SparseScipy(DesignMatrix):
    """A as a SciPy CSR array; it is referred to, not copied."""

    backend: ClassVar[str] = "numpy"

    def __init__(self, array: Any) -> None:
        super().__init__()
        self.array = array

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

    def _gram(self, weights: Any) -> Any:
        n, d = self.shape
        total = np.zeros((d, d), dtype=self.array.dtype)
        indptr = self.array.indptr
        start = 0
        while start < n:
            limit = indptr[start] + BLOCK_ENTRIES
            stop = max(start + 1, int(np.searchsorted(indptr, limit, side="right")) - 1)
            block = self.array[start:stop]
            scaled = block.copy()
            scaled.data *= np.repeat(weights[start:stop], np.diff(block.indptr))
            product = (scaled.T @ block).tocoo()
            # Entries of one sparse product are unique, so fancy indexing adds each of them once.
            total[product.row, product.col] += product.data
            start = stop
        return total

    def _column_norms(self) -> Any:
        squares = np.bincount(
            self.array.indices, weights=self.array.data**2, minlength=self.shape[1]
        )
        return np.sqrt(squares).astype(self.array.dtype)

    def sketch(self, embedding: Any) -> Any:
        """Return S A; see :meth:`DesignMatrix.sketch`."""
        return (embedding.tocsr() @ self.array).toarray()

    def rows(self, index: npt.NDArray[Any]) -> SparseScipy:
        """Return the rows A[index]."""
        return SparseScipy(self.array[index])


class SparseTorch(DesignMatrix):
    """A as a torch CSR tensor, with its transpose kept beside it for products with A^T."""

    backend: ClassVar[str] = "torch"

    def __init__(self, tensor: Any) -> None:
        super().__init__()
        self.tensor = tensor
        self._crow = tensor.crow_indices()
        self._columns = tensor.col_indices()
        self._values = tensor.values()
        self._transpose: Any | None = None

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

        return torch.as_tensor(values, dtype=self._values.dtype, device=self._values.device)

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

    def _slice(self, start: int, stop: int) -> Any:
        first, last = int(self._crow[start]), int(self._crow[stop])
        return csr_tensor(
            self._crow[start : stop + 1] - first,
            self._columns[first:last],
            self._values[first:last],
            (stop - start, self.shape[1]),
        )

    def _gram(self, weights: Any) -> Any:
        n, d = self.shape
        # Row blocks are made dense one at a time: torch has no sparse-sparse product everywhere.
        step = block_rows(d, self._values.element_size(), DEVICE_BLOCK_BYTES // 16)
        total = self._values.new_zeros((d, d))
        for start in range(0, n, step):
            stop = min(start + step, n)
            block = self._slice(start, stop).to_dense()
            total.addmm_((block * weights[start:stop, None]).T, block)
        return 0.5 * (total + total.T)

    def _column_norms(self) -> Any:
        squares = self._values.new_zeros(self.shape[1])
        return squares.index_add_(0, self._columns, self._values**2).sqrt()

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

        at = torch.as_tensor(index, device=self._crow.device)
        lengths = self._crow.diff()[at]
        crow = torch.cat([lengths.new_zeros(1), lengths.cumsum(0)])
        within = torch.arange(int(crow[-1]), device=at.device)
        within = within - torch.repeat_interleave(crow[:-1], lengths)
        take = torch.repeat_interleave(self._crow[:-1][at], lengths) + within
        return SparseTorch(
            csr_tensor(crow, self._columns[take], self._values[take], (len(index), self.shape[1]))
        )


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
