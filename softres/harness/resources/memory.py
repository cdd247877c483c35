"""How much memory a job takes, and how much it may."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from softres.common.errors import InputError

__all__ = ["GIB", "PeakMemory", "memory_limited"]

GIB = 2**30
_PROC = Path("/proc/self")
#: What torch says where Python raises a MemoryError.
_TORCH = re.compile(r"allocate memory|not enough memory|out of memory", re.I)


@contextmanager
def memory_limited(gib: float | None) -> Iterator[None]:
    """Let the block take so many GiB beyond what the process holds; ``None`` does not limit it.

    The system counts the writable memory that the process asks for (RLIMIT_DATA), not what it
    touches. Where there is no such limit (macOS, Windows), only what is known before a job starts
    holds it back.

    Raises
    ------
    InputError
        If the block needed more.
    """
    if gib is None or _kilobytes("VmData") is None:
        yield
        return
    import resource

    _settle_blas()
    held = _kilobytes("VmData") or 0

    before = resource.getrlimit(resource.RLIMIT_DATA)
    limit = int(1024 * held + gib * GIB)
    if before[1] != resource.RLIM_INFINITY:
        limit = min(limit, before[1])
    resource.setrlimit(resource.RLIMIT_DATA, (limit, before[1]))
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and not _TORCH.search(str(error)):
            raise
        text = str(error).partition("\n")[0]
        raise InputError(
            f"memory_limit={gib:g}: the job needs more GiB than that ({text})"
        ) from error
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, before)


def _settle_blas() -> None:
    """Let NumPy's and SciPy's BLAS take the buffers that they keep.

    OpenBLAS asks for them again and again, without end, where the system refuses.
    """
    import numpy as np
    from scipy.linalg.blas import dsyrk

    block = np.ones((512, 512))
    dsyrk(1.0, block @ block)


class PeakMemory:
    """The most memory that this process holds from now on, beyond what it holds now."""

    def __init__(self) -> None:
        with suppress(OSError):
            (_PROC / "clear_refs").write_text("5", encoding="ascii")  # forget the peak so far
        self._start = _kilobytes("VmRSS")

    @property
    def gib(self) -> float | None:
        """The peak so far in GiB; ``None`` where the system does not tell."""
        peak = _kilobytes("VmHWM")
        if peak is None or self._start is None:
            return None
        return max(0.0, 1024 * (peak - self._start) / GIB)


def _kilobytes(name: str) -> int | None:
    try:
        text = (_PROC / "status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return None
    found = re.search(rf"^{name}:\s+(\d+) kB", text, re.M)
    return int(found[1]) if found else None
