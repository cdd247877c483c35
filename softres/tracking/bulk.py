"""Many runs of an SQLite store at once, without MLflow, which takes milliseconds for each.

Only the tables that have held runs since MLflow 1 are touched. What cannot be done so, on a server
or in tables that differ, is left to the caller, who goes from run to run.
"""

from __future__ import annotations

import math
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from softres.tracking.protocol import StoredRun

__all__ = ["every_finished", "finished_at_once", "tag_at_once"]

#: Values of one query; SQLite takes a few more.
MANY = 900
_RUNS = """
select run_uuid, name from runs where run_uuid in ({marks})
and status = 'FINISHED' and lifecycle_stage = 'active' and experiment_id = ?
order by start_time desc, run_uuid
"""
_TAGS = "select run_uuid, key, value from tags where run_uuid in ({marks})"
_METRICS = """
select run_uuid, key, case when is_nan then null else value end from latest_metrics
where run_uuid in ({marks})
"""
_OF_FINISHED = """
select run_uuid from runs where status = 'FINISHED' and lifecycle_stage = 'active'
and experiment_id = ?
"""
_ALL_RUNS = f"""
select run_uuid, name from runs where run_uuid in ({_OF_FINISHED})
order by start_time desc, run_uuid
"""
_ALL_TAGS = "select run_uuid, key, value from tags where run_uuid in ({runs})"
_ALL_PARAMS = "select run_uuid, key, value from params where run_uuid in ({runs})"
_ALL_METRICS = """
select run_uuid, key, case when is_nan then null else value end from latest_metrics
where run_uuid in ({runs})
"""
#: The plus keeps SQLite from looking at the keys of all runs instead of the new rows.
_NEW = "select rowid, value, run_uuid from tags where rowid > ? and +key = 'key'"


class _Keys:
    """The runs of each job key. Looking again takes as long as the tags that are new.

    Parameters
    ----------
    inode
        Of the file: another one in its place is another store.
    """

    def __init__(self, inode: int) -> None:
        self.inode = inode
        self._runs: defaultdict[str, list[str]] = defaultdict(list)
        self._seen = 0

    def runs(self, connection: sqlite3.Connection, keys: Iterable[str]) -> dict[str, str]:
        """Return the ids of the runs that have one of the keys, with it."""
        for row, key, run in connection.execute(_NEW, (self._seen,)):
            self._runs[key].append(run)
            self._seen = max(self._seen, row)
        return {run: key for key in keys if key in self._runs for run in self._runs[key]}


_known: dict[Path, _Keys] = {}


def finished_at_once(
    path: Path, experiment: str, keys: Iterable[str]
) -> dict[str, list[StoredRun]] | None:
    """Return the finished runs of some job keys, the latest first; parameters are left out.

    Parameters
    ----------
    path
        The store's file.
    experiment
        The experiment's id.
    keys
        Values of the tag ``key``.

    Returns
    -------
    The runs of each key that has some; ``None`` if the file cannot be read so.
    """
    found: dict[str, list[StoredRun]] = {}
    try:
        inode = path.stat().st_ino
        if path not in _known or _known[path].inode != inode:
            _known[path] = _Keys(inode)
        with _open(path, "ro") as connection:
            of_key = _known[path].runs(connection, keys)
            number = (int(experiment),)
            for some in _chunks(list(of_key)):
                rows = _select(connection, _RUNS, some, number)
                runs = [run for run, _ in rows]
                tags, metrics = (_pairs(connection, query, runs) for query in (_TAGS, _METRICS))
                for run, name in rows:
                    stored = StoredRun(run, name or "", metrics[run], tags[run], {})
                    found.setdefault(of_key[run], []).append(stored)
    except (sqlite3.Error, OSError, ValueError):
        return None
    return found


def every_finished(path: Path, experiment: str) -> list[StoredRun] | None:
    """Return the finished runs of an experiment, the latest first.

    Parameters
    ----------
    path
        The store's file.
    experiment
        The experiment's id.

    Returns
    -------
    The runs; ``None`` if the file cannot be read so.
    """
    try:
        number = (int(experiment),)
        with _open(path, "ro") as connection:
            connection.execute("begin")  # all of one moment
            runs = connection.execute(_ALL_RUNS, number).fetchall()
            tags, params, metrics = (
                _by_run(connection, query.format(runs=_OF_FINISHED), number)
                for query in (_ALL_TAGS, _ALL_PARAMS, _ALL_METRICS)
            )
    except (sqlite3.Error, ValueError):
        return None
    return [StoredRun(run, name or "", metrics[run], tags[run], params[run]) for run, name in runs]


def tag_at_once(path: Path, runs: Iterable[str], tags: dict[str, str]) -> bool:
    """Set tags of runs that have ended; return whether that was possible so."""
    rows = [(key, value, run) for run in runs for key, value in tags.items()]
    insert = "insert or replace into tags (key, value, run_uuid) values (?, ?, ?)"
    try:
        with _open(path, "rw") as connection, connection:
            connection.executemany(insert, rows)
    except sqlite3.Error:
        return False
    return True


@contextmanager
def _open(path: Path, mode: str) -> Iterator[sqlite3.Connection]:
    address = f"{path.as_uri()}?mode={mode}"
    with closing(sqlite3.connect(address, uri=True, timeout=20.0)) as connection:
        yield connection


def _select(
    connection: sqlite3.Connection, query: str, values: Sequence[str], more: Sequence[int] = ()
) -> list[tuple[Any, ...]]:
    marks = ",".join("?" * len(values))
    return connection.execute(query.format(marks=marks), (*values, *more)).fetchall()


def _pairs(
    connection: sqlite3.Connection, query: str, runs: Sequence[str]
) -> defaultdict[str, dict[str, Any]]:
    marks = ",".join("?" * len(runs))
    return _by_run(connection, query.format(marks=marks), runs)


def _by_run(
    connection: sqlite3.Connection, query: str, values: Sequence[str | int]
) -> defaultdict[str, dict[str, Any]]:
    """Return the keys and values of each run; no value is NaN, of which SQLite has none."""
    found: defaultdict[str, dict[str, Any]] = defaultdict(dict)
    for run, key, value in connection.execute(query, values):
        found[run][key] = math.nan if value is None else value
    return found


def _chunks(items: Sequence[str]) -> Iterator[Sequence[str]]:
    return (items[i : i + MANY] for i in range(0, len(items), MANY))
