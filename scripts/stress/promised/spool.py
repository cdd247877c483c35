"""What waits for a store is never in the way of what can be recorded."""

from __future__ import annotations

import json
from pathlib import Path

from common import ROOT, finish, run

from promised.base import ended, promise, statuses, told

SWEEP = ("-m", "seed=0,1", "n=60", "d=4", "sweep.figures=false")
SYNC = ("python", str(ROOT / "scripts" / "sync.py"))


def _sync(folder: Path) -> None:
    import sys

    done = finish(folder, [sys.executable, SYNC[1]])
    ended(done, 0, 1)


def _damaged(folder: Path, content: str) -> None:
    """Put a damaged record into the spool, and see that a sweep is recorded all the same."""
    waiting = folder / "results" / "spool" / "abc"
    waiting.mkdir(parents=True)
    (waiting / "run.json").write_text(content)
    done = run(folder, *SWEEP)
    ended(done, 0)
    assert statuses(folder) == {"FINISHED": 2}, (statuses(folder), done.stderr)
    told(done, "abc", most=1)
    _sync(folder)


@promise("an empty record in the spool is set aside with a line")
def empty_record(folder: Path) -> None:
    _damaged(folder, "")


@promise("a truncated record in the spool is set aside with a line")
def truncated_record(folder: Path) -> None:
    _damaged(folder, '{"uri": "sqlite:///x", "exper')


@promise("a record with an unknown field in the spool is set aside with a line")
def unknown_field(folder: Path) -> None:
    _damaged(folder, json.dumps({"uri": "sqlite:///x", "experiment": "y", "z": 1}))


@promise("a record with values of other types is set aside with a line")
def other_types(folder: Path) -> None:
    uri = f"sqlite:///{folder}/results/mlflow.db"
    _damaged(folder, json.dumps({"uri": uri, "experiment": "softres", "tags": [], "start": "x"}))
