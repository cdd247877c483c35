"""A store that cannot be used, fills up, is locked, or goes away in the middle of a sweep."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from common import ROOT, command, finish, run, start

from promised.base import ended, left_over, promise, statuses, told

JOBS = ("seed=range(8)", "n=60", "d=4", "sweep.figures=false")


def _refused(folder: Path, *words: str) -> None:
    """See that a sweep whose store is store.db ends at once with a line, and starts nothing."""
    began = time.monotonic()
    done = run(folder, "-m", *JOBS, f"tracking.uri=sqlite:///{folder}/store.db")
    seconds = time.monotonic() - began
    ended(done, 1, 2)
    told(done, *words, most=1)
    assert seconds < 90, f"{seconds:.0f} s of retries"
    assert "converged" not in done.stdout, done.stdout


@promise("a folder for a store: one line, status 2, no retries")
def folder_for_store(folder: Path) -> None:
    (folder / "store.db").mkdir()
    _refused(folder, "is a folder")


@promise("a file of another kind for a store: one line, status 2")
def text_for_store(folder: Path) -> None:
    (folder / "store.db").write_text("no database at all")
    _refused(folder, "is no SQLite database")


@promise("a store with an older schema: one line that says 'mlflow db upgrade', status 2")
def older_schema(folder: Path) -> None:
    ended(run(folder, "n=60", "d=4"), 0)
    shutil.copy(folder / "results" / "mlflow.db", folder / "store.db")
    connection = sqlite3.connect(folder / "store.db")
    with connection:
        connection.execute("update alembic_version set version_num = 'bd07f7e963c5'")
    connection.close()
    _refused(folder, "mlflow db upgrade")


@contextmanager
def _disk(folder: Path, options: str) -> Iterator[Path]:
    """Mount a small disk; only root may."""
    folder.mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=False)


@promise("a store on a disk that is read-only: one line, status 2")
def read_only(folder: Path) -> None:
    ended(run(folder, "n=60", "d=4"), 0)
    with _disk(folder / "disk", "size=20m") as disk:
        shutil.copy(folder / "results" / "mlflow.db", disk / "store.db")
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        (folder / "store.db").symlink_to(disk / "store.db")
        _refused(folder, "read-only")


@promise("a full disk: a line a cause, status 1; with space again the same command does the rest")
def full_disk(folder: Path) -> None:
    with _disk(folder / "disk", "size=1500k") as disk:
        words = ("-m", *JOBS, f"tracking.folder={disk}")
        done = run(folder, *words)
        ended(done, 1, 2)
        told(done, most=5)
        subprocess.run(["mount", "-o", "remount,size=100m", str(disk)], check=True)
        ended(run(folder, *words), 0)
        (folder / "results" / "mlflow.db").unlink(missing_ok=True)
        (folder / "results").mkdir(exist_ok=True)
        shutil.copy(disk / "mlflow.db", folder / "results" / "mlflow.db")
        found = statuses(folder)
        assert found.get("FINISHED") == 8, found
        assert "RUNNING" not in found, found
        assert not list(disk.glob("spool/*/run.json"))


def _in_the_middle(folder: Path, happens: Callable[[], None]) -> subprocess.CompletedProcess[str]:
    """Run a sweep, in the middle of which something happens."""
    errors: list[str] = []
    said: list[str] = []
    with start(folder, command("-m", *JOBS), subprocess.PIPE) as process:
        reader = threading.Thread(target=lambda: errors.extend(process.stderr or ()))
        reader.start()
        for line in process.stdout or ():
            said.append(line)
            if "converged after" in line and sum("converged after" in one for one in said) == 3:
                happens()
        reader.join()
    return subprocess.CompletedProcess(
        process.args, process.returncode, "".join(said), "".join(errors)
    )


@promise("a store that is deleted in the middle: a line, status 1, the same command does it all")
def deleted(folder: Path) -> None:
    done = _in_the_middle(folder, (folder / "results" / "mlflow.db").unlink)
    ended(done, 1)
    told(done, "deleted or replaced", most=3)
    _again(folder)


@promise("a store that is replaced in the middle: a line, status 1, the same command does it all")
def replaced(folder: Path) -> None:
    ended(run(folder, "n=60", "d=4", "tracking.folder=other"), 0)

    def replace() -> None:
        (folder / "other" / "mlflow.db").replace(folder / "results" / "mlflow.db")

    done = _in_the_middle(folder, replace)
    ended(done, 1)
    told(done, most=3)
    assert "deleted or replaced" in done.stdout + done.stderr, done.stdout
    _again(folder)


@promise("results deleted in the middle: a line a cause, status 1, the same command does it all")
def results_deleted(folder: Path) -> None:
    done = _in_the_middle(folder, lambda: shutil.rmtree(folder / "results", ignore_errors=True))
    ended(done, 1, 2)
    told(done, most=5)
    _again(folder)


@promise("a locked database: a warning, and every job is recorded when it is free again")
def locked(folder: Path) -> None:
    holds: list[sqlite3.Connection] = []

    def lock() -> None:
        holds.append(sqlite3.connect(folder / "results" / "mlflow.db", check_same_thread=False))
        holds[0].execute("begin exclusive")
        threading.Timer(45, holds[0].rollback).start()

    done = _in_the_middle(folder, lock)
    holds[0].close()
    ended(done, 0)
    told(done, most=3)
    _again(folder)


def _again(folder: Path) -> None:
    """Run the same command again, and see that it is all there and nothing is left over."""
    ended(run(folder, "-m", *JOBS), 0)
    finish(folder, [sys.executable, str(ROOT / "scripts" / "sync.py")])
    found = statuses(folder)
    assert found.get("FINISHED", 0) >= 8, found
    assert "RUNNING" not in found, found
    assert not left_over(folder), left_over(folder)
