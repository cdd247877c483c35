"""What every A in torch has, dense or sparse."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from softres.common.arrays import for_torch
from softres.matrices.base import DesignMatrix

__all__ = ["TorchMatrix"]


class TorchMatrix(DesignMatrix):
    """A as a torch tensor on any device.

    Parameters
    ----------
    tensor
        Strided or in CSR form, shape (n, d).
    """

    backend: ClassVar[str] = "torch"

    def __init__(self, tensor: Any) -> None:
        super().__init__()
        self.tensor = tensor

    def in_double(self) -> Self | None:
        """Return A in float64; see :meth:`DesignMatrix.in_double`."""
        double = self.tensor.double()
        return None if double is self.tensor else type(self)(double)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows n and columns d."""
        n, d = self.tensor.shape
        return int(n), int(d)

    def asarray(self, values: Any) -> Any:
        """Return the values as a tensor of A's dtype on A's device."""
        import torch

        return torch.as_tensor(
            for_torch(values), dtype=self.tensor.dtype, device=self.tensor.device
        )

    def _matmul(self, x: Any) -> Any:
        return self.tensor @ x
