"""Which process owns a run, and whether that process still exists."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from hashlib import sha256
from pathlib import Path

__all__ = ["identity", "is_gone"]

#: Seconds by which the start of one process may differ: it is read off a clock that can be set.
TOLERANCE = 60.0
#: Of the machine itself, not of a container: Linux gives this number to no other.
FIRST_NAMESPACE = "pid:[4026531836]"


def identity() -> dict[str, str]:
    """Tags that identify this process.

    ``host``, ``pid``, when the process started in Unix time, and which machine it is that gives
    out the pids: ``machine``, ``boot`` and ``pid_namespace``, each empty where nothing tells.
    """
    import psutil

    start = psutil.Process().create_time()
    here = {"host": socket.gethostname(), "pid": str(os.getpid())}
    return {**here, "process_start": f"{start:.2f}", **_place()}


@cache
def _place() -> dict[str, str]:
    """Containers may share a host name, and see other processes under the same pids."""
    machine = _content("/etc/machine-id")
    namespace = ""
    with suppress(OSError):
        namespace = str(Path("/proc/self/ns/pid").readlink())
    return {
        # Whoever reads a store need not know the id itself, says machine-id(5).
        "machine": sha256(f"softres {machine}".encode()).hexdigest()[:16] if machine else "",
        "boot": _content("/proc/sys/kernel/random/boot_id"),
        "pid_namespace": namespace,
    }


def _content(path: str) -> str:
    try:
        return Path(path).read_text("ascii").strip()
    except (OSError, ValueError):
        return ""


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
    if "boot" in owner:  # runs of earlier versions have none
        place = _place()
        if any(owner.get(key) != place[key] for key in ("boot", "pid_namespace")):
            return _restarted(owner, place)
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


def _restarted(owner: Mapping[str, str], here: Mapping[str, str]) -> bool:
    """Whether this machine has been started anew since, and is no container on another one."""
    same = bool(here["machine"]) and owner.get("machine") == here["machine"]
    outside = owner.get("pid_namespace") == here["pid_namespace"] == FIRST_NAMESPACE
    return same and outside and owner.get("boot") != here["boot"]
