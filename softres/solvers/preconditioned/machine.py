"""What this machine can do: the rates that turn operation counts into seconds."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy import linalg
from scipy.linalg import blas
from threadpoolctl import ThreadpoolController

from softres.common.cache import cache_folder

__all__ = ["NOMINAL", "RATES", "Machine", "machine_of", "this_machine"]

#: Part of the cache's key: raise it when what is measured changes.
VERSION = 5

#: Bytes of a matrix that may stay in the last cache from one product to the next.
CACHED_BYTES = 8 << 20


@dataclass(frozen=True)
class Machine:
    """Rates of one machine with one number of BLAS threads.

    Attributes
    ----------
    bytes_per_second
        Of a matrix-vector product with a matrix larger than the caches.
    near_bytes_per_second
        The same with one of :data:`CACHED_BYTES` bytes, which many last caches hold: up to six
        times as fast.
    double_flops, single_flops
        Floating-point operations a second of a weighted Gram matrix in row blocks, in float64 and
        float32; one multiplication and one addition for each entry of one triangle.
    factor_flops
        Of a Cholesky factorisation, d^3 / 3 of them.
    sparse_entries
        Stored entries a second of a product of a sparse matrix and a vector.
    overhead
        Seconds of one step that depend on no size.
    """

    bytes_per_second: float
    near_bytes_per_second: float
    double_flops: float
    single_flops: float
    factor_flops: float
    sparse_entries: float
    overhead: float = 2e-4

    def reading(self, size: float) -> float:
        """Return the bytes a second of a product with a matrix of ``size`` bytes."""
        return self.near_bytes_per_second if size <= CACHED_BYTES else self.bytes_per_second


#: A typical core, with which the path that a solver takes depends on no measurement: AVX2 at 3 GHz
#: (48e9 operations a second in float64 at most, of which a Gram matrix in blocks reaches 40 and a
#: Cholesky factorisation of 512 columns 20), 15 GB a second from memory and 60 from its caches.
NOMINAL = Machine(
    bytes_per_second=1.5e10,
    near_bytes_per_second=6e10,
    double_flops=4e10,
    single_flops=7e10,
    factor_flops=2e10,
    sparse_entries=1e9,
)

#: Where a solver's rates come from: measured on this machine, or those of :data:`NOMINAL`.
RATES = ("measured", "nominal")


def machine_of(rates: str) -> Machine:
    """Return the rates of that name, one of :data:`RATES`."""
    return NOMINAL if rates == "nominal" else this_machine()


@lru_cache(maxsize=1)
def _libraries() -> ThreadpoolController:
    # Finding the libraries takes milliseconds, asking them for their threads does not.
    return ThreadpoolController().select(user_api="blas")


@lru_cache(maxsize=8)
def _rates(threads: tuple[int, ...], cache: Path | None) -> Machine:
    # Sorted: the order in which they are found differs from process to process.
    libraries = tuple(
        sorted(
            f"{info['internal_api']} {info['version']} {info['num_threads']}"
            for info in _libraries().info()
        )
    )
    key = hashlib.sha256(repr((VERSION, _processor(), libraries)).encode()).hexdigest()[:16]
    path = cache_folder(cache) / "machine" / f"{key}.json"
    with suppress(OSError, ValueError, TypeError):
        return Machine(**json.loads(path.read_text()))
    measured = _measure()
    # A cache that cannot be written costs the next process a tenth of a second, no more.
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f"{path.name}.{os.getpid()}")
        draft.write_text(json.dumps(asdict(measured)))
        draft.replace(path)
    return measured


def this_machine(cache: Path | None = None) -> Machine:
    """Return the rates of this machine, measured once in about 0.2 s and kept in the cache folder.

    They are kept for each processor, BLAS and number of its threads, so that the choices made from
    them, and with these the iterates of a solver, are the same in every later run.

    Parameters
    ----------
    cache
        See :func:`softres.common.cache.cache_folder`.
    """
    # Asking for the threads alone takes a quarter of the time that all information takes.
    return _rates(tuple(library.num_threads for library in _libraries().lib_controllers), cache)


def _processor() -> str:
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return f"{line} {os.cpu_count()}"
    return f"{platform.processor() or platform.machine()} {os.cpu_count()}"


def _seconds(work: Callable[[], object], repeats: int = 5) -> float:
    """Return the least time of a few: what the machine can do when nothing else disturbs it.

    With one thread that is processor time, which others' work does not count towards.
    """
    alone = all(info["num_threads"] == 1 for info in _libraries().info())
    clock = time.process_time if alone else time.perf_counter
    work()
    least = float("inf")
    for _ in range(repeats):
        start = clock()
        work()
        least = min(least, clock() - start)
    return least


def _measure() -> Machine:
    from scipy import sparse

    rng = np.random.default_rng(0)
    tall = rng.standard_normal((16384, 256))  # 32 MB, beyond most caches
    x, y = rng.standard_normal(256), rng.standard_normal(16384)

    def reading(matrix: npt.NDArray[np.float64]) -> float:
        side = y[: len(matrix)]
        return 2 * matrix.nbytes / _seconds(lambda: (matrix @ x, matrix.T @ side))

    block = tall[:1024]
    scaled, single = np.empty_like(block), np.empty(block.shape, dtype=np.float32)
    root = np.abs(y[:1024, None])
    root_single = root.astype(np.float32)

    def double_gram() -> None:
        np.multiply(block, root, out=scaled)
        blas.dsyrk(1.0, scaled.T, lower=1)

    def single_gram() -> None:
        np.copyto(single, block, casting="same_kind")
        np.multiply(single, root_single, out=single)
        blas.ssyrk(1.0, single.T, lower=1)

    size = 512
    square = tall[:size] @ tall[:size].T + size * np.eye(size)
    thin = sparse.random_array((16384, 256), density=0.02, format="csr", rng=rng)
    work = block.shape[0] * 256.0**2
    return Machine(
        bytes_per_second=reading(tall),
        near_bytes_per_second=reading(tall[: CACHED_BYTES // (8 * 256)]),
        double_flops=work / _seconds(double_gram),
        single_flops=work / _seconds(single_gram),
        factor_flops=size**3 / 3 / _seconds(lambda: linalg.cholesky(square, lower=True)),
        sparse_entries=2 * thin.nnz / _seconds(lambda: (thin @ x, thin.T @ y)),
    )
