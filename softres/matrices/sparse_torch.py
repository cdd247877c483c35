"""Sparse A, as a torch CSR tensor."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

import numpy.typing as npt

from softres.common.arrays import beyond
from softres.matrices.base import Index
from softres.matrices.dense import BLOCK_BYTES, DEVICE_BLOCK_BYTES
from softres.matrices.symmetric import block_rows
from softres.matrices.torch_matrix import TorchMatrix

__all__ = ["SparseTorch", "csr_tensor", "quiet_csr"]


class SparseTorch(TorchMatrix):
    """A as a torch CSR tensor, with its transpose kept beside it for products with A^T."""

    is_sparse: ClassVar[bool] = True

    def __init__(self, tensor: Any) -> None:
        super().__init__(tensor)
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

    @property
    def nnz(self) -> int:
        """Stored entries."""
        return int(self._values.numel())

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
