"""Workers end with the process that started them, also where that was killed."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time

__all__ = ["end_as_worker", "end_with_launcher", "name_launcher"]

#: In the environment of workers: the process that started them.
_LAUNCHER = "SOFTRES_LAUNCHER"
#: Seconds between two looks, and those that a job gets to close its run.
_BETWEEN, _TO_CLOSE = 1.0, 20.0
_watching = threading.Event()


def name_launcher() -> None:
    """Tell the workers that this process will start who started them."""
    os.environ[_LAUNCHER] = str(os.getpid())


def end_with_launcher() -> None:
    """End this process when the one that started it for jobs is gone; elsewhere do nothing.

    A worker that waits for a job would go on waiting for ever, with all that it holds in memory.
    One that has a job ends it as SIGTERM does: the run is closed.
    """
    parent = os.environ.get(_LAUNCHER, "")
    mine = parent.isdecimal() and int(parent) == os.getppid()
    if not mine or _watching.is_set() or threading.current_thread() is not threading.main_thread():
        return
    _watching.set()
    signal.signal(signal.SIGTERM, _terminate)
    threading.Thread(target=_watch, args=(int(parent),), daemon=True).start()


def end_as_worker() -> None:
    """End this process, which is a worker, when the one that started it is gone.

    From its start on: who was killed while it handed over a first job leaves a worker that reads
    half of it, and waits for the rest.
    """
    if os.environ.get(_LAUNCHER, "") != str(os.getppid()):
        os._exit(128 + signal.SIGTERM)
    end_with_launcher()


def _terminate(number: int, frame: object) -> None:
    sys.exit(128 + number)


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_BETWEEN)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_TO_CLOSE)
    os._exit(128 + signal.SIGTERM)  # who has caught the exit waits for a next job
