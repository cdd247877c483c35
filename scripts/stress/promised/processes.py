"""Runs of processes that live, and workers of those that do not."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import psutil
from common import command, environment, run

from promised.base import ended, promise, statuses

LONG = ("n=60000", "d=60", "solver=gradient_descent", "eps=1e-14", "max_steps=100000")


def _started(folder: Path, *words: str) -> subprocess.Popen[bytes]:
    """Start a command; return when a run of it is under way."""
    process = subprocess.Popen(
        words,
        cwd=folder,
        env=environment(folder),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 180
    while not statuses(folder).get("RUNNING"):
        assert process.poll() is None, f"it ended with {process.returncode}"
        assert time.monotonic() < deadline, "no run began"
        time.sleep(0.3)
    return process


@promise("a run that lives in another PID namespace of the same host name is not marked KILLED")
def other_namespace(folder: Path) -> None:
    inside = ("unshare", "--pid", "--fork", "--kill-child", "--mount-proc")
    process = _started(folder, *inside, *command(*LONG))
    try:
        ended(run(folder, "n=60", "d=4"), 0)
        assert process.poll() is None, "it ended by itself: make it longer"
        found = statuses(folder)
        assert found == {"RUNNING": 1, "FINISHED": 1}, found
    finally:
        process.kill()
        process.wait()


@promise("workers of joblib end when the process that started them is killed, and close their runs")
def orphans(folder: Path) -> None:
    parallel = ("hydra/launcher=joblib", "hydra.launcher.n_jobs=2", "seed=0,1")
    process = _started(folder, *command("-m", *LONG, *parallel))
    workers = psutil.Process(process.pid).children(recursive=True)
    process.kill()
    process.wait()
    _, alive = psutil.wait_procs(workers, timeout=60)
    for worker in alive:
        worker.kill()
    assert not alive, [worker.cmdline() for worker in alive]
    found = statuses(folder)
    assert "RUNNING" not in found, found
