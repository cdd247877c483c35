"""Dense A, as a NumPy array or a torch tensor."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from softres.common.arrays import beyond
from softres.matrices.base import DesignMatrix, Index
from softres.matrices.symmetric import LEAST_ROWS, BlockSum, add_rows, block_rows
from softres.matrices.torch_matrix import TorchMatrix

__all__ = ["DenseNumpy", "DenseTorch"]

#: Bytes of one row block of a product: small enough to stay in a core's cache.
BLOCK_BYTES = 1 << 20
#: The same on an accelerator, where a few large kernels beat many small ones.
DEVICE_BLOCK_BYTES = 256 << 20
#: Right-hand sides up to which A X is formed in row blocks: BLAS packs all of A for a product
#: with few columns, which costs more than the product where A does not fit the cache.
FEW_COLUMNS = 16
#: Right-hand sides up to which A^T Y is formed one by one from row blocks in the cache: three then
#: take 1.7 times as long as one, and twice with a product of matrices.
FEW_SIDES = 4


class DenseNumpy(DesignMatrix):
    """A as a C-contiguous NumPy array of float64 or float32; it is referred to, not copied."""

    backend: ClassVar[str] = "numpy"
    is_sparse: ClassVar[bool] = False
    gathers: ClassVar[bool] = True

    def __init__(self, array: npt.NDArray[Any]) -> None:
        super().__init__()
        self.array = array

    def in_double(self) -> DesignMatrix | None:
        """Return A in float64; see :meth:`DesignMatrix.in_double`."""
        if self.array.dtype == np.float64:
            return None
        return DenseNumpy(self.array.astype(np.float64))

    @property
    def shape(self) -> tuple[int, int]:
        """Rows n and columns d."""
        n, d = self.array.shape
        return n, d

    @property
    def nnz(self) -> int:
        """Stored entries, n d."""
        return int(self.array.size)

    def asarray(self, values: Any) -> Any:
        """Return the values as a NumPy array of A's dtype."""
        return np.asarray(values, dtype=self.array.dtype)

    def _step(self) -> int:
        return block_rows(self.shape[1], self.array.itemsize, BLOCK_BYTES)

    def _matmul(self, x: Any) -> Any:
        if x.ndim == 1:
            return self.array @ x
        if x.shape[1] > FEW_COLUMNS:
            return (np.ascontiguousarray(x.T) @ self.array.T).T
        product = np.empty((len(self.array), x.shape[1]), dtype=np.result_type(self.array, x))
        step = self._step()
        for start in range(0, len(product), step):
            block = slice(start, start + step)
            np.matmul(self.array[block], x, out=product[block])
        return product

    def _rmatmul(self, y: Any) -> Any:
        if y.ndim == 1:
            return y @ self.array
        # Y^T A reads A along its rows; A^T Y packs a transposed A, at several times the cost.
        sides = np.ascontiguousarray(y.T)
        # The sides and the block share the cache.
        step = max(LEAST_ROWS, self._step() // 2)
        if len(sides) > FEW_SIDES or len(self.array) <= step:
            return (sides @ self.array).T
        product = np.zeros((len(sides), self.shape[1]), dtype=np.result_type(self.array, y))
        for start in range(0, len(self.array), step):
            block = self.array[start : start + step]
            for k, side in enumerate(sides):
                product[k] += side[start : start + step] @ block
        return product.T

    def _gram(self, weights: Any, rows: Index | None, single: bool) -> Any:
        dtype = np.dtype(np.float32) if single else self.array.dtype
        total = BlockSum(self.shape[1], dtype, self._step())
        add_rows(total, self.array, weights, rows)
        return total.total(self.array.dtype)

    def _column_norms(self) -> Any:
        with np.errstate(over="ignore", under="ignore"):
            norms = np.sqrt(np.einsum("ij,ij->j", self.array, self.array))
        lost = np.flatnonzero(beyond(norms))
        if len(lost):
            largest = np.maximum(self.array.max(axis=0), -self.array.min(axis=0))[lost]
            lost, largest = lost[largest > 0], largest[largest > 0]
            scaled = self.array[:, lost] / largest
            norms[lost] = largest * np.sqrt(np.einsum("ij,ij->j", scaled, scaled))
        return norms

    def squared_row_norms(self) -> Any:
        """Return the squared Euclidean norms of A's rows, shape (n,)."""
        return np.einsum("ij,ij->i", self.array, self.array)

    def sketch(self, embedding: Any) -> Any:
        """Return S A; see :meth:`DesignMatrix.sketch`."""
        return embedding @ self.array

    def compress(self, factors: npt.NDArray[np.float64], rows: npt.NDArray[np.int64]) -> Any:
        """Return factors @ A[rows]; see :meth:`DesignMatrix.compress`."""
        step = self._step()
        edges = range(0, len(rows), step)
        parts = ((factors[:, start : start + step], rows[start : start + step]) for start in edges)
        start = np.zeros((len(factors), self.shape[1]), dtype=self.array.dtype)
        return sum(self.compress_each(parts), start=start)

    def compress_each(
        self, parts: Iterable[tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]]
    ) -> Iterator[Any]:
        """Yield factors @ A[rows] for each pair; the rows pass through one buffer."""
        buffer = np.empty((0, self.shape[1]), dtype=self.array.dtype)
        for factors, rows in parts:
            if len(rows) > len(buffer):
                buffer = np.empty((len(rows), self.shape[1]), dtype=self.array.dtype)
            block = buffer[: len(rows)]
            np.take(self.array, rows, 0, out=block, mode="clip")
            yield factors.astype(block.dtype, copy=False) @ block

    def row_forms(self, right: Any, single: bool = False) -> Any:
        """Return the squared row norms of A @ right; see :meth:`DesignMatrix.row_forms`."""
        self.counter.add(passes=right.shape[1])
        forms = np.empty(len(self.array), dtype=np.result_type(self.array, right))
        dtype = np.float32 if single else forms.dtype
        convert = dtype != self.array.dtype
        right = np.ascontiguousarray(right, dtype=dtype)
        # Blocks bound the memory of the product; they are large so that BLAS is efficient.
        step = 4 * self._step()
        buffer = np.empty((step if convert else 0, self.shape[1]), dtype=dtype)
        for start in range(0, len(forms), step):
            block = self.array[start : start + step]
            if convert:
                rounded = buffer[: len(block)]
                np.copyto(rounded, block, casting="same_kind")
                block = rounded
            product = block @ right
            forms[start : start + step] = np.einsum("ij,ij->i", product, product)
        return forms

    def rows(self, index: npt.NDArray[Any]) -> DenseNumpy:
        """Return the rows A[index]."""
        return DenseNumpy(self.array[index])

    def split(self, first: int) -> tuple[DesignMatrix, DesignMatrix]:
        """Return the first rows and the others; see :meth:`DesignMatrix.split`."""
        return DenseNumpy(self.array[:first]), DenseNumpy(self.array[first:])


class DenseTorch(TorchMatrix):
    """A as a strided torch tensor on any device."""

    is_sparse: ClassVar[bool] = False

    @property
    def nnz(self) -> int:
        """Stored entries, n d."""
        return int(self.tensor.numel())

    def _rmatmul(self, y: Any) -> Any:
        return self.tensor.T @ y

    def _gram(self, weights: Any, rows: Index | None, single: bool) -> Any:
        import torch

        tensor, d = self.tensor, self.shape[1]
        dtype = torch.float32 if single else tensor.dtype
        budget = BLOCK_BYTES if tensor.device.type == "cpu" else DEVICE_BLOCK_BYTES
        step = block_rows(d, tensor.element_size(), budget)
        index = None if rows is None else torch.as_tensor(rows, device=tensor.device)
        total = tensor.new_zeros((d, d), dtype=dtype)
        for start in range(0, len(weights), step):
            block = (
                tensor[start : start + step]
                if index is None
                else tensor.index_select(0, index[start : start + step])
            ).to(dtype)
            scaled = block * weights[start : start + step, None].to(dtype)
            total.addmm_(scaled.T, block)
        # Rounding alone makes the product unsymmetric; eigensolvers read one triangle only.
        return (0.5 * (total + total.T)).to(tensor.dtype)

    def _column_norms(self) -> Any:
        norms = self.tensor.norm(dim=0)
        lost = beyond(norms).nonzero()[:, 0]
        if len(lost):
            columns = self.tensor[:, lost]
            largest = columns.abs().amax(dim=0)
            safe = largest.where(largest > 0, 1.0)
            norms[lost] = largest * (columns / safe).norm(dim=0)
        return norms

    def sketch(self, embedding: Any) -> Any:
        """Return S A; see :meth:`DesignMatrix.sketch`."""
        import torch

        coo = embedding.tocoo()
        index = torch.from_numpy(np.stack([coo.row, coo.col]).astype(np.int64))
        sparse = torch.sparse_coo_tensor(
            index.to(self.tensor.device), self.asarray(coo.data), coo.shape, check_invariants=False
        )
        return torch.sparse.mm(sparse, self.tensor)

    def rows(self, index: npt.NDArray[Any]) -> DenseTorch:
        """Return the rows A[index]."""
        import torch

        return DenseTorch(self.tensor[torch.as_tensor(index, device=self.tensor.device)])
