"""The registry of promises, and what most of them look at."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from subprocess import CompletedProcess

__all__ = ["PROMISES", "Promise", "ended", "left_over", "promise", "statuses", "told"]

Attempt = Callable[[Path], None]


@dataclass(frozen=True)
class Promise:
    """What is promised, and what tries to break it.

    Attributes
    ----------
    place
        File and function, ``printing.full_device``.
    statement
        What holds, in a sentence.
    attempt
        Works in an empty folder; raises what is wrong, as `AssertionError` with a line.
    """

    place: str
    statement: str
    attempt: Attempt


#: All that was declared, in the order of files and functions.
PROMISES: list[Promise] = []


def promise(statement: str) -> Callable[[Attempt], Attempt]:
    """Declare a function as what tries to break a promise."""

    def declare(attempt: Attempt) -> Attempt:
        name = getattr(attempt, "__name__", "?")
        place = f"{attempt.__module__.rpartition('.')[2]}.{name}"
        PROMISES.append(Promise(place, statement, attempt))
        return attempt

    return declare


def ended(done: CompletedProcess[str], *allowed: int) -> None:
    """Raise unless a command ended with one of the statuses, and without a traceback."""
    said = f"{done.stdout[-1500:]}\n{done.stderr[-1500:]}"
    assert done.returncode in allowed, f"status {done.returncode}, not {allowed}: {said}"
    assert "Traceback" not in done.stderr + done.stdout, f"a traceback: {said}"


def told(done: CompletedProcess[str], *words: str, most: int | None = None) -> None:
    """Raise unless a command's errors hold some words, and have at most so many lines."""
    for word in words:
        assert word in done.stderr, f"{word!r} is not in: {done.stderr[-1500:]}"
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    assert most is None or len(lines) <= most, f"{len(lines)} lines: {done.stderr[:3000]}"


def statuses(folder: Path) -> dict[str, int]:
    """Return the runs of the default store by status; none where there is no store."""
    database = folder / "results" / "mlflow.db"
    if not database.exists():
        return {}
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    try:
        return dict(Counter(row[0] for row in connection.execute("select status from runs")))
    finally:
        connection.close()


def left_over(folder: Path) -> list[str]:
    """Return what a finished command should not have left in ``results``."""
    results = folder / "results"
    patterns = ("spool/*", "turns/*", ".*.new*", "artifacts/**/*.part")
    found = (path for pattern in patterns for path in results.glob(pattern))
    return sorted(str(path.relative_to(folder)) for path in found if path.name != ".lock")
