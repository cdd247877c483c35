"""Where arrays live: NumPy on the host, torch on the CPU or a CUDA device, or Dask."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, NamedTuple

import numpy as np
from scipy import sparse
from threadpoolctl import threadpool_limits

from softres.common.errors import InputError
from softres.matrices import DesignMatrix, StreamedMatrix
from softres.matrices.kronecker import KroneckerMatrix, kronecker_matrix

__all__ = ["BackendOptions", "Queue", "as_numpy", "queue_of"]


@dataclass(frozen=True)
class BackendOptions:
    """The array library, device and precision of a run.

    Attributes
    ----------
    name
        ``"numpy"``, ``"torch"``, or ``"dask"``: A in row chunks on Dask, vectors in NumPy.
    device
        ``"cpu"`` or ``"cuda"``.
    dtype
        ``"float64"`` or ``"float32"``.
    threads
        Threads of BLAS and torch while a run works; ``None`` leaves them as they are. The default
        of one makes times comparable between runs, and safe where other work shares the cores:
        BLAS threads that wait for a core that is taken can cost a hundred times the work.
    address
        Of Dask's scheduler, such as ``"tcp://10.0.0.1:8786"``; ``None`` for this machine's threads.
    """

    name: str = "numpy"
    device: str = "cpu"
    dtype: str = "float64"
    threads: int | None = 1
    address: str | None = None

    def __post_init__(self) -> None:
        allowed = {
            "name": ("numpy", "torch", "dask"),
            "device": ("cpu", "cuda"),
            "dtype": ("float64", "float32"),
        }
        for key, values in allowed.items():
            if (value := getattr(self, key)) not in values:
                raise InputError(f"backend.{key}={value}: allowed are {', '.join(values)}")
        if self.name != "torch" and self.device != "cpu":
            raise InputError(
                f"backend.device=cuda: backend={self.name} runs on cpu only; use backend=torch"
            )
        if self.name == "dask" and self.dtype != "float64":
            raise InputError("backend.dtype=float32: backend=dask works in float64 only")
        if self.name != "dask" and self.address is not None:
            raise InputError(f"backend.address={self.address}: only backend=dask takes an address")
        if self.threads is not None and self.threads < 1:
            raise InputError(f"backend.threads={self.threads}: allowed is a whole number >= 1")

    @property
    def arrays(self) -> str:
        """The library that vectors live in, ``"numpy"`` or ``"torch"``."""
        return "torch" if self.name == "torch" else "numpy"

    def check_device(self) -> None:
        """Raise an :class:`InputError` if the device, or the library, is not there."""
        if self.name == "dask" and find_spec("dask") is None:
            raise InputError('backend=dask: dask is not installed; pip install "softres[dask]"')
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
        """Return a host matrix (NumPy, SciPy sparse or on disk) as this backend's array.

        Raises
        ------
        InputError
            If the backend does not take such a matrix.
        """
        if self.name == "dask":
            if sparse.issparse(A):
                raise InputError("backend=dask: takes a dense A only; use backend=numpy")
            from softres.matrices.dask_matrix import dask_matrix

            return dask_matrix(A, self.address)
        if isinstance(A, StreamedMatrix):
            if self.name != "numpy" or self.dtype != "float64":
                raise InputError(
                    f"backend={self.name} with dtype={self.dtype}: an A on disk is read by "
                    "backend=numpy or dask in float64"
                )
            return A.part(0, A.shape[0])
        if isinstance(A, KroneckerMatrix):  # of the factors, each on this backend
            return kronecker_matrix(self.convert(A.A1), self.convert(A.A2))
        dtype = np.float64 if self.dtype == "float64" else np.float32
        if self.name == "numpy":
            return A.astype(dtype, copy=False)
        import torch

        if sparse.issparse(A):
            from softres.matrices.sparse_torch import csr_tensor

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


class Queue(NamedTuple):
    """The work that a device has not done yet.

    Attributes
    ----------
    synchronise
        Waits until all of it is done; on the host there is none.
    mark
        Puts an event into it that keeps the time when its turn comes; ``None`` on the host.
    """

    synchronise: Callable[[], None]
    mark: Callable[[], Any] | None = None


def queue_of(matrix: DesignMatrix) -> Queue:
    """Return the queue of the device of A."""
    device = getattr(matrix.asarray([0.0]), "device", "cpu")
    if getattr(device, "type", "cpu") != "cuda":
        return Queue(lambda: None)
    import torch

    def mark() -> Any:
        event: Any = torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]
        event.record(torch.cuda.current_stream(device))
        return event

    return Queue(lambda: torch.cuda.synchronize(device), mark)
