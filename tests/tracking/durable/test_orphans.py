"""A worker whose launcher was killed ends, and closes what it was doing."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).parents[3]
LAUNCHER = """
import subprocess, sys
from softres.tracking.durable.orphans import name_launcher
if {named}:
    name_launcher()
subprocess.Popen([sys.executable, "-c", {worker!r}])
print("started", flush=True)
sys.stdin.read()
"""
WORKER = """
import time
from pathlib import Path
from softres.tracking.durable import orphans
orphans.end_with_launcher()
Path("pid").write_text(str(orphans.os.getpid()))
try:
    time.sleep(60)
finally:
    Path("closed").touch()
"""


def lives(pid):
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


@pytest.mark.parametrize("named", [True, False])
def test_a_worker_ends_with_the_launcher_that_it_knows(tmp_path, named):
    code = LAUNCHER.format(named=named, worker=WORKER)
    launcher = subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 60
    while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    pid = int((tmp_path / "pid").read_text())
    try:
        launcher.send_signal(signal.SIGKILL)
        launcher.communicate()
        if named:
            while lives(pid):
                assert time.monotonic() < deadline
                time.sleep(0.05)
            assert (tmp_path / "closed").exists()
        else:
            time.sleep(2.5)
            assert lives(pid)
    finally:
        if lives(pid):
            os.kill(pid, signal.SIGKILL)


#: Ends in the middle of handing over its first jobs: their pickles are never whole.
HANDING_OVER = """
import time
from joblib import Parallel, delayed
from omegaconf import OmegaConf
from softres.config.launching import watched_workers

class Endless:
    def __reduce__(self):
        print("handing over", flush=True)
        time.sleep(600)

chosen = {"launcher": {"backend": None, "prefer": "processes"},
          "runtime": {"choices": {"hydra/launcher": "joblib"}}}
with watched_workers(OmegaConf.create(chosen)):
    Parallel(n_jobs=2, prefer="processes")(delayed(print)(Endless()) for _ in range(2))
"""


def test_a_worker_that_has_no_job_yet_ends_too(tmp_path):
    pytest.importorskip("joblib")
    launcher = subprocess.Popen(
        [sys.executable, "-c", HANDING_OVER],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert launcher.stdout.readline() == "handing over\n"
    workers = [
        child for child in psutil.Process(launcher.pid).children() if "Loky" in str(child.cmdline())
    ]
    assert workers
    launcher.kill()
    launcher.communicate(timeout=60)  # whom a worker outlives keeps this open
    _, alive = psutil.wait_procs(workers, timeout=60)
    assert alive == []
