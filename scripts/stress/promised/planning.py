"""The plan is made by the same composition as the run, and what is wrong ends the command."""

from __future__ import annotations

import json
import re
import sqlite3
from pathlib import Path

from common import run

from promised.base import ended, promise, statuses, told

QUICK = "sweep.figures=false"


def _columns(folder: Path, *names: str) -> list[tuple[str, ...]]:
    """Return some parameters of the finished runs of the default store, sorted."""
    connection = sqlite3.connect(folder / "results" / "mlflow.db")
    try:
        rows: dict[str, dict[str, str]] = {}
        for run_id, key, value in connection.execute("select run_uuid, key, value from params"):
            rows.setdefault(run_id, {})[key] = value
    finally:
        connection.close()
    return sorted(tuple(row[name] for name in names) for row in rows.values())


def _runs_nothing(folder: Path, *words: str) -> None:
    done = run(folder, "-m", *words, "sweep.dry_run=true", QUICK)
    ended(done, 0, 2)
    assert not statuses(folder), statuses(folder)
    assert "converged after" not in done.stdout, done.stdout


@promise("a dry run with an interpolation runs nothing")
def dry_run_interpolated(folder: Path) -> None:
    _runs_nothing(folder, "n=20,30", 'd="${n}"')


@promise("a dry run with a quoted number runs nothing")
def dry_run_quoted(folder: Path) -> None:
    _runs_nothing(folder, 'n="20"', "d=4")


@promise("n=20,30 d=${n} has d = n in every job, not the base value")
def interpolated_size(folder: Path) -> None:
    ended(run(folder, "-m", "n=20,30", "d=${n}", QUICK), 0)
    assert _columns(folder, "n", "d") == [("20", "20"), ("30", "30")], _columns(folder, "n", "d")


@promise("seed=${n} is planned with the seeds that it runs")
def interpolated_seed(folder: Path) -> None:
    words = ("-m", "n=40,50", "d=4", "seed=${n}", QUICK)
    planned = run(folder, *words, "sweep.dry_run=true")
    ended(planned, 0)
    ended(run(folder, *words), 0)
    ran = _columns(folder, "n", "seed")
    assert ran == [("40", "40"), ("50", "50")], ran
    seeds = re.findall(r"n=(\d+) d=4 seed=(\d+)", planned.stdout)
    assert seeds == ran, f"planned {seeds}, ran {ran}"


@promise("a reused hydra.sweep.dir does not report an older command's failures")
def reused_folder(folder: Path) -> None:
    where = ("hydra.sweep.dir=here", QUICK)
    failed = run(folder, "-m", "n=400,500", "d=4", "memory_limit=1e-6", *where)
    ended(failed, 1)
    done = run(folder, "-m", "n=60", "d=4", *where)
    ended(done, 0)
    assert "failed" not in done.stdout, done.stdout
    left = [json.loads(path.read_text()) for path in folder.glob("here/*/outcome.json")]
    assert [one["status"] for one in left] == ["converged"], left


@promise("hydra.job.chdir=true: all jobs are in the one store where the command began")
def changed_folder(folder: Path) -> None:
    ended(run(folder, "-m", "n=60,70", "d=4", "hydra.job.chdir=true", QUICK), 0)
    found = [str(path.relative_to(folder)) for path in folder.rglob("mlflow.db")]
    assert found == ["results/mlflow.db"], found
    assert statuses(folder) == {"FINISHED": 2}, statuses(folder)


@promise("a value that is not allowed in one job of a sweep: one line, status 2, nothing runs")
def one_wrong_job(folder: Path) -> None:
    done = run(folder, "-m", "n=60,-1", "d=4", QUICK)
    ended(done, 2)
    told(done, "n=-1", most=1)
    assert not statuses(folder), statuses(folder)
