"""Dense A, as a NumPy array or a torch tensor."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from scipy.linalg import blas

from softres.matrices.base import DesignMatrix

__all__ = ["DenseNumpy", "DenseTorch"]

#: Bytes of one row block of a weighted Gram: small enough to stay in a core's cache.
BLOCK_BYTES = 1 << 20
#: The same on an accelerator, where a few large kernels beat many small ones.
DEVICE_BLOCK_BYTES = 256 << 20


def block_rows(d: int, itemsize: int, budget: int) -> int:
    """Return how many rows of length d fit the budget, at least 64 so that BLAS stays efficient."""
    return max(64, budget // (d * itemsize))


class DenseNumpy(DesignMatrix):
    """A as a C-contiguous NumPy array of float64 or float32; it is referred to, not copied."""

    backend: ClassVar[str] = "numpy"

    def __init__(self, array: npt.NDArray[Any]) -> None:
        super().__init__()
        self.array = array

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

    def _matmul(self, x: Any) -> Any:
        return self.array @ x

    def _rmatmul(self, y: Any) -> Any:
        return self.array.T @ y

    def _gram(self, weights: Any) -> Any:
        n, d = self.shape
        single = self.array.dtype == np.float32
        syrk, gemm = (blas.ssyrk, blas.sgemm) if single else (blas.dsyrk, blas.dgemm)
        # BLAS adds each block into these column-major accumulators: a symmetric rank-k update
        # where all weights of the block are positive, at half the work of a general product.
        symmetric = np.zeros((d, d), dtype=self.array.dtype, order="F")
        general: npt.NDArray[Any] | None = None
        step = block_rows(d, self.array.itemsize, BLOCK_BYTES)
        buffer = np.empty((min(step, n), d), dtype=self.array.dtype)
        for start in range(0, n, step):
            block = self.array[start : start + step]
            weight = weights[start : start + step]
            scaled = buffer[: len(block)]
            if weight.min() >= 0:
                np.multiply(block, np.sqrt(weight)[:, None], out=scaled)
                symmetric = syrk(1.0, scaled.T, beta=1.0, c=symmetric, lower=1, overwrite_c=1)
            else:
                if general is None:
                    general = np.zeros((d, d), dtype=self.array.dtype, order="F")
                np.multiply(block, weight[:, None], out=scaled)
                general = gemm(
                    1.0, scaled.T, block.T, beta=1.0, c=general, trans_b=1, overwrite_c=1
                )
        total = np.tril(symmetric) + np.tril(symmetric, -1).T
        if general is not None:
            total += 0.5 * (general + general.T)
        return total

    def _column_norms(self) -> Any:
        return np.sqrt(np.einsum("ij,ij->j", self.array, self.array))

    def sketch(self, embedding: Any) -> Any:
        """Return S A; see :meth:`DesignMatrix.sketch`."""
        return embedding @ self.array

    def rows(self, index: npt.NDArray[Any]) -> DenseNumpy:
        """Return the rows A[index]."""
        return DenseNumpy(self.array[index])


class DenseTorch(DesignMatrix):
    """A as a strided torch tensor on any device."""

    backend: ClassVar[str] = "torch"

    def __init__(self, tensor: Any) -> None:
        super().__init__()
        self.tensor = tensor

    @property
    def shape(self) -> tuple[int, int]:
        """Rows n and columns d."""
        n, d = self.tensor.shape
        return int(n), int(d)

    @property
    def nnz(self) -> int:
        """Stored entries, n d."""
        return int(self.tensor.numel())

    def asarray(self, values: Any) -> Any:
        """Return the values as a tensor of A's dtype on A's device."""
        import torch

        return torch.as_tensor(values, dtype=self.tensor.dtype, device=self.tensor.device)

    def _matmul(self, x: Any) -> Any:
        return self.tensor @ x

    def _rmatmul(self, y: Any) -> Any:
        return self.tensor.T @ y

    def _gram(self, weights: Any) -> Any:
        n, d = self.shape
        on_host = self.tensor.device.type == "cpu"
        budget = BLOCK_BYTES if on_host else DEVICE_BLOCK_BYTES
        step = block_rows(d, self.tensor.element_size(), budget)
        total = self.tensor.new_zeros((d, d))
        for start in range(0, n, step):
            block = self.tensor[start : start + step]
            total.addmm_((block * weights[start : start + step, None]).T, block)
        # Rounding alone makes the product unsymmetric; eigensolvers read one triangle only.
        return 0.5 * (total + total.T)

    def _column_norms(self) -> Any:
        return self.tensor.norm(dim=0)

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
