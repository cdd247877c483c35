"""Answers of a server's proxy that are neither success nor outage: nothing is lost of any run."""

from __future__ import annotations

import atexit
import sys
import tempfile
from functools import cache
from pathlib import Path

from common import ROOT, audit, finish, run
from proxy import Answer, Fault, Proxy
from server import Server

from promised.base import ended, promise

JOBS = 5


@cache
def _server() -> Server:
    """One server for all of them, each in an experiment of its own."""
    folder = tempfile.TemporaryDirectory(prefix="softres-stress-")
    server = Server(Path(folder.name) / "server")
    atexit.register(folder.cleanup)
    atexit.register(server.kill)  # first
    server.start()
    return server


def _sweep(folder: Path, fault: Fault, *allowed: int) -> None:
    """Run a sweep through a proxy with a fault, deliver what waits without it, and look."""
    server, name = _server(), folder.name
    words: tuple[str, ...] = (
        "-m",
        f"seed=range({JOBS})",
        "n=200",
        "d=4",
        "solver=exact_newton,gradient_descent",
    )
    words += ("max_steps=30", "sweep.figures=false", f"tracking.experiment={name}")
    with Proxy(server.uri, fault) as proxy:
        where = ("tracking=server", f"tracking.uri={proxy.uri}")
        done = run(folder, *words, *where)
        ended(done, *allowed)
        assert proxy.answered, "the fault was never met"
        found = audit(server.uri, name)  # what is called finished is whole already
        assert found.lost == 0, f"{found.lost} points lost of runs called FINISHED"
        proxy.fault = lambda method, path, number: None
        sync = [sys.executable, str(ROOT / "scripts" / "sync.py"), "--refused"]
        synced = finish(folder, sync)
        ended(synced, 0)
        if 1 in allowed:
            ended(run(folder, *words, *where), 0)
    found = audit(server.uri, name)
    assert (len(found.keys), found.twice, found.lost) == (2 * JOBS, 0, 0), f"{found}"
    assert not {"RUNNING", "FAILED"} & found.statuses.keys() or 1 in allowed, f"{found.statuses}"
    assert found.points > 0
    left = [path for path in (folder / "results" / "spool").glob("*") if path.name != ".lock"]
    assert not left, left


@promise("200 with a page for every third artifact: no run is called FINISHED without its files")
def page_for_artifact(folder: Path) -> None:
    count = [0]

    def fault(method: str, path: str, number: int) -> Answer | None:
        count[0] += method == "PUT"
        return Answer(200) if method == "PUT" and count[0] % 3 == 0 else None

    _sweep(folder, fault, 0)


@promise("200 with a page for every seventh call: nothing is lost")
def page_for_call(folder: Path) -> None:
    _sweep(folder, lambda method, path, number: Answer(200) if number % 7 == 0 else None, 0)


@promise("400 now and then: nothing is lost")
def bad_request(folder: Path) -> None:
    def fault(method: str, path: str, number: int) -> Answer | None:
        return Answer(400) if method != "GET" and number % 11 == 0 else None

    _sweep(folder, fault, 0, 1)


@promise("413 for every trace: all wait, and are delivered when it is mended")
def too_large(folder: Path) -> None:
    def fault(method: str, path: str, number: int) -> Answer | None:
        return Answer(413) if method == "PUT" and path.endswith("trace.parquet") else None

    _sweep(folder, fault, 0)


@promise("a redirect to itself now and then: nothing is lost")
def redirect(folder: Path) -> None:
    def fault(method: str, path: str, number: int) -> Answer | None:
        return Answer(307) if 40 < number < 120 else None

    _sweep(folder, fault, 0)


@promise("an occasional 403: nothing is lost")
def forbidden(folder: Path) -> None:
    _sweep(folder, lambda method, path, number: Answer(403) if number % 13 == 0 else None, 0)
