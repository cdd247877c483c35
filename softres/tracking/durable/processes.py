"""Which process owns a run, and whether that process still exists."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from pathlib import Path

__all__ = ["identity", "is_gone"]

_PROC = Path("/proc")


def identity() -> dict[str, str]:
    """Tags that identify this process: host, pid and when the process started."""
    pid = os.getpid()
    return {"host": socket.gethostname(), "pid": str(pid), "process_start": _start(pid) or ""}


def is_gone(owner: Mapping[str, str]) -> bool:
    """Tell whether the process of a run on this host has ended.

    Parameters
    ----------
    owner
        Tags of the run, as `identity` made them.

    Returns
    -------
    bool
        True only when that is certain: a process that cannot be judged counts as alive.
    """
    if owner.get("host") != socket.gethostname() or not owner.get("pid", "").isdecimal():
        return False
    pid = int(owner["pid"])
    if _has_proc():
        # A pid is given out again after a while: the start time tells the two apart.
        return _start(pid) != owner.get("process_start")
    if os.name != "posix":
        return False  # elsewhere there is no harmless signal to ask with
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


def _has_proc() -> bool:
    return (_PROC / "self" / "stat").exists()


def _start(pid: int) -> str | None:
    """Return boot id and start tick of a process; None if it has ended or /proc is missing."""
    try:
        stat = (_PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
        boot = (_PROC / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return None
    # The second field is the command in parentheses and may itself hold spaces and parentheses.
    fields = stat.rpartition(")")[2].split()
    if fields[0] in "ZX":  # dead, its parent has not looked yet
        return None
    return f"{boot[:8]}-{fields[19]}"
