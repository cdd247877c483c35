"""Where arrays live: NumPy on the host, or torch on the CPU or a CUDA device."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse
from threadpoolctl import threadpool_limits

from softres.errors import InputError
from softres.matrices import DesignMatrix

__all__ = ["BackendOptions", "as_numpy", "synchronise_for"]


@dataclass(frozen=True)
class BackendOptions:
    """The array library, device and precision of a run.

    Attributes
    ----------
    name
        ``"numpy"`` or ``"torch"``.
    device
        ``"cpu"`` or ``"cuda"``.
    dtype
        ``"float64"`` or ``"float32"``.
    threads
        Threads of BLAS and torch while a run works; ``None`` leaves them as they are. The default
        of one makes times comparable between runs, and safe where other work shares the cores:
        BLAS threads that wait for a core that is taken can cost a hundred times the work.
    """

    name: str = "numpy"
    device: str = "cpu"
    dtype: str = "float64"
    threads: int | None = 1

    def __post_init__(self) -> None:
        allowed = {
            "name": ("numpy", "torch"),
            "device": ("cpu", "cuda"),
            "dtype": ("float64", "float32"),
        }
        for key, values in allowed.items():
            if (value := getattr(self, key)) not in values:
                raise InputError(f"backend.{key}={value}: allowed are {', '.join(values)}")
        if self.name == "numpy" and self.device != "cpu":
            raise InputError(
                "backend.device=cuda: backend=numpy runs on cpu only; use backend=torch"
            )
        if self.threads is not None and self.threads < 1:
            raise InputError(f"backend.threads={self.threads}: allowed is a whole number >= 1")

    def check_device(self) -> None:
        """Raise an :class:`InputError` if the device is not there."""
        if self.device != "cuda":
            return
        import torch

        if not torch.cuda.is_available():
            raise InputError(
                "backend.device=cuda: torch finds no CUDA device here; use backend.device=cpu"
            )

    @contextmanager
    def limited(self) -> Iterator[None]:
        """Hold BLAS and torch to the number of threads within the block."""
        with threadpool_limits(self.threads):
            # A measurement may use torch on any backend, so a torch that is there is held too.
            if self.threads is None or not (self.name == "torch" or "torch" in sys.modules):
                yield
                return
            import torch

            before = torch.get_num_threads()
            torch.set_num_threads(self.threads)
            try:
                yield
            finally:
                torch.set_num_threads(before)

    def convert(self, A: Any) -> Any:
        """Return a host matrix (NumPy or SciPy sparse) as this backend's array."""
        dtype = np.float64 if self.dtype == "float64" else np.float32
        if self.name == "numpy":
            return A.astype(dtype, copy=False)
        import torch

        if sparse.issparse(A):
            from softres.matrices.sparse import csr_tensor

            rows, columns = (torch.from_numpy(x.astype(np.int64)) for x in (A.indptr, A.indices))
            tensor = csr_tensor(rows, columns, torch.from_numpy(A.data.astype(dtype)), A.shape)
        else:
            tensor = torch.from_numpy(np.ascontiguousarray(A, dtype=dtype))
        return tensor.to(self.device)


def as_numpy(values: Any) -> np.ndarray[Any, np.dtype[Any]]:
    """Return an array of any backend as a NumPy array on the host."""
    if hasattr(values, "detach"):
        values = values.detach().cpu().numpy()
    return np.asarray(values)


def synchronise_for(matrix: DesignMatrix) -> Callable[[], None]:
    """Return a function that waits for the device of A; on the host it does nothing."""
    device = getattr(matrix.asarray([0.0]), "device", "cpu")
    if getattr(device, "type", "cpu") != "cuda":
        return lambda: None
    import torch

    return lambda: torch.cuda.synchronize(device)
