"""What a run was made with: code, packages, machine, threads."""

from __future__ import annotations

import os
import platform
import socket
import subprocess
import sys
from functools import cache
from getpass import getuser
from importlib.metadata import PackageNotFoundError, distributions, version
from pathlib import Path
from typing import Any

from softres.common.program import shown_command

__all__ = ["DESCRIPTION", "cores", "environment", "requirements", "source_tags"]

#: The tag that MLflow shows as the description of a run, markdown.
DESCRIPTION = "mlflow.note.content"
_PACKAGES = ("numpy", "scipy", "torch", "mlflow")
#: Tracked files that no run reads: a run that writes its own results changes no code.
_NOT_READ = (":(top,exclude)results", ":(top,exclude,glob)**/*.md")


def environment() -> dict[str, str]:
    """Describe code, packages and machine, in words that fit the tags of a run.

    Returns
    -------
    ``commit`` and ``dirty`` (both "unknown" outside a checkout); ``python`` and the versions
    of the main packages ("missing" where there is none); ``cpu``, ``cores``, ``host``,
    ``system``; ``blas`` and ``blas_threads`` as they are at this moment.
    """
    return {**_fixed(), **_threads()}


@cache
def source_tags() -> dict[str, str]:
    """Return the tags in which MLflow looks for who ran what: user, program and commit."""
    try:
        user = getuser()
    except (ImportError, KeyError, OSError):  # a container's user may have no name
        user = "unknown"
    tags = {
        "mlflow.user": user,
        "mlflow.source.type": "LOCAL",
        "mlflow.source.name": shown_command("run").removeprefix("python "),
    }
    commit = _fixed()["commit"]
    return tags if commit == "unknown" else tags | {"mlflow.source.git.commit": commit}


@cache
def requirements() -> str:
    """Return every package that is installed here and its version, as ``pip install -r`` reads."""
    known = (one.metadata for one in distributions())  # read once: a second time costs as much
    lines = {f"{one['Name']}=={one['Version']}\n" for one in known}
    return "".join(sorted(lines, key=str.lower))


@cache
def _fixed() -> dict[str, str]:
    commit, dirty = _git(Path(__file__).parent)
    return {
        "commit": commit,
        "dirty": dirty,
        "python": platform.python_version(),
        **{name: _version(name) for name in _PACKAGES},
        "cpu": _cpu(),
        "cores": str(cores()),
        "host": socket.gethostname(),
        "system": f"{platform.system()} {platform.release()}",
    }


def _git(folder: Path) -> tuple[str, str]:
    """Return the commit of a checkout and whether tracked files that a run may read differ."""
    git = ["git", "--no-optional-locks", "-C", str(folder)]
    command = [*git, "status", "--porcelain=v2", "--branch", "--untracked-files=no", "--"]
    # A copy inside another repository, which ignores it, has none of that one's commits.
    tracked = [*git, "ls-files", "--error-unmatch", "--", "."]
    try:
        subprocess.run(tracked, capture_output=True, timeout=10, check=True)
        done = subprocess.run(
            [*command, *_NOT_READ], capture_output=True, text=True, timeout=10, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return "unknown", "unknown"
    commit, dirty = "unknown", "false"
    for line in done.stdout.splitlines():
        if line.startswith("# branch.oid ") and "(initial)" not in line:
            commit = line.split()[2]
        elif not line.startswith("#"):
            dirty = "true"
    return commit, dirty


def _version(name: str) -> str:
    # An imported package knows its build too ("2.13.0+cpu"); none is imported for this.
    loaded = getattr(sys.modules.get(name), "__version__", None)
    try:
        return str(loaded or version(name))
    except PackageNotFoundError:
        return "missing"


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine() or "unknown"


def cores() -> int:
    """Return the number of logical cores this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS and Windows
        return os.cpu_count() or 1


def _threads() -> dict[str, str]:
    from threadpoolctl import threadpool_info

    pools: list[dict[str, Any]] = threadpool_info()
    blas = [pool for pool in pools if pool["user_api"] == "blas"]
    names = {f"{pool['internal_api']} {pool['version']}" for pool in blas}
    threads = {f"{pool['internal_api']}={pool['num_threads']}" for pool in pools}
    return {
        "blas": ", ".join(sorted(names)) or "none loaded",
        "blas_threads": ", ".join(sorted(threads)) or "none loaded",
    }
