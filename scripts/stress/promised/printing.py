"""Printing never decides whether work is done."""

from __future__ import annotations

import subprocess
from pathlib import Path

from common import command, environment, finish

from promised.base import ended, promise, statuses

JOB = ("n=200", "d=4", "sweep.figures=false")


@promise("with stdout a full device a run is recorded, or the status is 1")
def full_device(folder: Path) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            command(*JOB),
            cwd=folder,
            env=environment(folder),
            stdin=subprocess.DEVNULL,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    recorded = statuses(folder) == {"FINISHED": 1}
    assert recorded, f"nothing recorded: {statuses(folder)}, status {done.returncode}"
    assert "Traceback" not in done.stderr, done.stderr[-1500:]


def _encoding(folder: Path, name: str) -> None:
    words = command(
        "-m", *JOB, "seed=0,1", "solver=exact_newton,approx_newton", "sweep.figures=false"
    )
    ended(finish(folder, words, PYTHONIOENCODING=name), 0)
    assert statuses(folder) == {"FINISHED": 4}, statuses(folder)


@promise("PYTHONIOENCODING=cp1252: all is recorded")
def cp1252(folder: Path) -> None:
    _encoding(folder, "cp1252")


@promise("PYTHONIOENCODING=latin-1: all is recorded")
def latin_1(folder: Path) -> None:
    _encoding(folder, "latin-1")


@promise("PYTHONIOENCODING=ascii: all is recorded")
def ascii(folder: Path) -> None:
    _encoding(folder, "ascii")


@promise("COLUMNS=0: all is recorded")
def no_columns(folder: Path) -> None:
    ended(finish(folder, command("-m", *JOB, "seed=0,1"), COLUMNS="0"), 0)
    assert statuses(folder) == {"FINISHED": 2}, statuses(folder)
