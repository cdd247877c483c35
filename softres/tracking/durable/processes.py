"""Which process owns a run, and whether that process still exists."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from contextlib import suppress

__all__ = ["identity", "is_gone"]

#: Seconds by which the start of one process may differ: it is read off a clock that can be set.
TOLERANCE = 60.0


def identity() -> dict[str, str]:
    """Tags that identify this process: host, pid and when the process started, in Unix time."""
    import psutil

    start = psutil.Process().create_time()
    return {"host": socket.gethostname(), "pid": str(os.getpid()), "process_start": f"{start:.2f}"}


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
    import psutil

    try:
        process = psutil.Process(int(owner["pid"]))
        if process.status() in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD):
            return True  # its parent has not looked yet
        # A pid is given out again after a while: the start time tells the two apart. Stores have
        # some in another form, which say nothing here.
        with suppress(ValueError):
            return bool(abs(process.create_time() - float(owner["process_start"])) > TOLERANCE)
    except psutil.NoSuchProcess:
        return True
    except (psutil.Error, KeyError):
        pass
    return False
