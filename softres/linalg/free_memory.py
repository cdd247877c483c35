"""Whether matrices of d x d fit the memory that is free, said before any work."""

from __future__ import annotations

import re
from contextlib import suppress
from math import inf
from pathlib import Path
from typing import Any

from softres.common.errors import InputError
from softres.matrices import DesignMatrix

__all__ = ["check_squares", "free_bytes"]

GIB = 2**30
#: Bytes below which nobody looks: any machine has them.
NEGLIGIBLE_BYTES = 256 << 20

_PROC = Path("/proc")
_CGROUP = Path("/sys/fs/cgroup")


def check_squares(solver: str, matrix: DesignMatrix, squares: int) -> None:
    """Raise an :class:`InputError` where a solver's matrices of d x d cannot be held.

    Parameters
    ----------
    solver
        Its name, for the message.
    matrix
        A.
    squares
        How many matrices of d x d the solver holds at once, at least.
    """
    d, zero = matrix.shape[1], matrix.asarray([0.0])
    needed = squares * int(zero.dtype.itemsize) * d**2
    if needed <= NEGLIGIBLE_BYTES:
        return
    free = free_bytes(zero)
    if needed > free:
        raise InputError(
            f"solver={solver}: holds {squares} matrices of d x d, {needed / GIB:.3g} GiB for "
            f"d={d}, and {free / GIB:.3g} GiB are free; scipy_lbfgs, torch_lbfgs, gradient_descent "
            "and preconditioned_newton with factor=columns hold none"
        )


def free_bytes(array: Any) -> float:
    """Return the bytes that can still be had where an array lives; infinite where nobody tells.

    On the host the least of what the system, the process's limits and its control group leave.
    """
    device = getattr(array, "device", None)
    if getattr(device, "type", "cpu") == "cuda":
        import torch

        return float(torch.cuda.mem_get_info(device)[0])
    return min(_available(), _unlimited(), _left_by_group())


def _available() -> float:
    return _kilobytes("meminfo", "MemAvailable")


def _unlimited() -> float:
    """Return what RLIMIT_AS and RLIMIT_DATA leave."""
    with suppress(ImportError):
        import resource

        left = inf
        for limit, held in ((resource.RLIMIT_AS, "VmSize"), (resource.RLIMIT_DATA, "VmData")):
            most = resource.getrlimit(limit)[0]
            used = _kilobytes("self/status", held)
            if most != resource.RLIM_INFINITY and used < inf:
                left = min(left, max(0.0, most - used))
        return left
    return inf


def _left_by_group() -> float:
    """Return what the control group, a container's limit, leaves."""
    with suppress(OSError, ValueError):
        most = int((_CGROUP / "memory.max").read_text(encoding="ascii"))
        used = int((_CGROUP / "memory.current").read_text(encoding="ascii"))
        stat = (_CGROUP / "memory.stat").read_text(encoding="ascii")
        cached = re.search(r"^inactive_file (\d+)$", stat, re.M)  # given back where it is needed
        return float(max(0, most - used + (int(cached[1]) if cached else 0)))
    return inf


def _kilobytes(file: str, name: str) -> float:
    with suppress(OSError):
        text = (_PROC / file).read_text(encoding="ascii", errors="replace")
        found = re.search(rf"^{name}:\s+(\d+) kB", text, re.M)
        if found:
            return 1024.0 * int(found[1])
    return inf
