"""An SQLite store written in whole statements: what MLflow's own client does object by object.

MLflow writes the two hundred points of a run through SQLAlchemy's objects, which takes longer than
to solve a small problem. The same rows are written here by SQLite itself, in the tables that have
held runs since MLflow 1. MLflow's client does it where anything differs: other columns than those
known here, a value that is not plain, or an error, which the client then raises in its own words.
"""

from __future__ import annotations

import math
import re
import shutil
import sqlite3
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit
from urllib.request import url2pathname

from softres.tracking.backend import MlflowBackend
from softres.tracking.charts.curves import MetricPoint
from softres.tracking.options import TrackingOptions
from softres.tracking.protocol import InputData

__all__ = ["SqliteBackend", "connect"]

T = TypeVar("T")

#: Seconds to wait for another process that writes.
WAIT = 20.0
#: The columns that are written; where a table has others, MLflow's client writes it.
COLUMNS = {
    "runs": "run_uuid name source_type source_name entry_point_name user_id status start_time "
    "end_time source_version lifecycle_stage artifact_uri experiment_id deleted_time",
    "tags": "key value run_uuid",
    "params": "key value run_uuid",
    "metrics": "key value timestamp run_uuid step is_nan",
    "latest_metrics": "key value timestamp step is_nan run_uuid",
    "datasets": "dataset_uuid experiment_id name digest dataset_source_type dataset_source "
    "dataset_schema dataset_profile",
    "inputs": "input_uuid source_type source_id destination_type destination_id step",
}
#: Names that MLflow takes whatever the platform, and the longest values that it keeps whole.
_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_. -]{0,249}")
_LONGEST = {"params": 6000, "tags": 5000}
_LATEST = """
insert into latest_metrics (key, value, timestamp, step, is_nan, run_uuid)
values (?, ?, ?, ?, 0, ?) on conflict (key, run_uuid) do update
set value = excluded.value, timestamp = excluded.timestamp, step = excluded.step, is_nan = 0
where (excluded.step, excluded.timestamp, excluded.value)
> (latest_metrics.step, latest_metrics.timestamp, latest_metrics.value)
"""


class _LeftToMlflow(Exception):  # noqa: N818  # nothing is wrong
    """What is asked for is not known here."""


class SqliteBackend(MlflowBackend):
    """An MLflow experiment in an SQLite file.

    Parameters
    ----------
    options
        Where the store is.
    create
        Whether to create the experiment where it is missing.

    Raises
    ------
    InputError, AwayError
        As :class:`MlflowBackend` does.
    """

    def __init__(self, options: TrackingOptions, *, create: bool = True) -> None:
        super().__init__(options, create=create)
        assert options.database is not None
        self._path = options.database
        self._known: bool | None = None
        self._folders: dict[str, Path] = {}

    def create_run(self, name: str, tags: Mapping[str, str], start: int) -> str:
        """Create a run that started at Unix time ``start`` in ms; return its id."""
        run_id = uuid.uuid4().hex

        def write(to: sqlite3.Connection) -> str:
            if not 0 < len(name) <= 250 or not start:
                raise _LeftToMlflow
            query = "select artifact_location, lifecycle_stage from experiments "
            query += "where experiment_id = ?"
            found = to.execute(query, (int(self.experiment_id),)).fetchone()
            if found is None or found[1] != "active":
                raise _LeftToMlflow
            uri = f"{found[0].rstrip('/')}/{run_id}/artifacts"
            self._folders[run_id] = _folder(uri)
            who = (run_id, name, "UNKNOWN", "", "", tags.get("mlflow.user", "unknown"))
            what = ("RUNNING", start, None, "", "active", uri, int(self.experiment_id), None)
            _insert(to, "runs", [who + what])
            _insert(to, "tags", _pairs("tags", {**tags, "mlflow.runName": name}, run_id))
            return run_id

        return self._write(write, lambda: super(SqliteBackend, self).create_run(name, tags, start))

    def log_params(self, run_id: str, params: Mapping[str, str]) -> None:
        """Record parameters, once a run."""

        def write(to: sqlite3.Connection) -> None:
            _check(to, run_id)
            _insert(to, "params", _pairs("params", params, run_id))

        self._write(write, lambda: super(SqliteBackend, self).log_params(run_id, params))

    def log_batch(
        self, run_id: str, points: Sequence[MetricPoint], tags: Mapping[str, str]
    ) -> None:
        """Record values of metrics and set tags."""

        def write(to: sqlite3.Connection) -> None:
            if "mlflow.runName" in tags or not all(map(_is_plain, points)):
                raise _LeftToMlflow
            _check(to, run_id)
            rows = [(p.name, float(p.value), p.timestamp, run_id, p.step, 0) for p in points]
            _insert(to, "metrics", rows, "or ignore")
            last: dict[str, tuple[int, int, float]] = {}
            for p in points:
                here = (p.step, p.timestamp, float(p.value))
                last[p.name] = max(here, last.get(p.name, here))
            latest = [(key, v, when, step, run_id) for key, (step, when, v) in last.items()]
            to.executemany(_LATEST, latest)
            _insert(to, "tags", _pairs("tags", tags, run_id), "or replace")

        self._write(write, lambda: super(SqliteBackend, self).log_batch(run_id, points, tags))

    def log_input(self, run_id: str, data: InputData) -> None:
        """Name data that a run works on."""

        def write(to: sqlite3.Connection) -> None:
            _check(to, run_id)
            own = (int(self.experiment_id), data.name, data.digest)
            new = (uuid.uuid4().hex, *own, "softres", data.source, None, data.profile)
            _insert(to, "datasets", [new], "or ignore")
            query = "select dataset_uuid from datasets where experiment_id = ? and name = ? "
            (found,) = to.execute(f"{query} and digest = ?", own).fetchone()
            edge = (uuid.uuid4().hex, "DATASET", found, "RUN", run_id, 0)
            _insert(to, "inputs", [edge], "or ignore")

        self._write(write, lambda: super(SqliteBackend, self).log_input(run_id, data))

    def log_file(self, run_id: str, path: Path) -> None:
        """Copy a file to the artifacts of a run."""
        folder = self._folders.get(run_id)
        if folder is None:
            super().log_file(run_id, path)
            return
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, folder / path.name)

    def end_run(self, run_id: str, status: str, end: int | None = None) -> None:
        """End a run as FINISHED, FAILED or KILLED, at Unix time ``end`` in ms or now."""

        def write(to: sqlite3.Connection) -> None:
            _check(to, run_id)
            when = end or time.time_ns() // 1_000_000
            update = "update runs set status = ?, end_time = ? where run_uuid = ?"
            to.execute(update, (status, when, run_id))

        self._write(write, lambda: super(SqliteBackend, self).end_run(run_id, status, end))
        self._folders.pop(run_id, None)

    def _write(self, write: Callable[[sqlite3.Connection], T], otherwise: Callable[[], T]) -> T:
        """Write in one transaction; whatever stands in the way of it is left to MLflow."""
        with suppress(sqlite3.Error, _LeftToMlflow), _open(self._path) as connection:
            if self._known is None:
                self._known = all(_has(connection, *table) for table in COLUMNS.items())
            if self._known:
                with connection:
                    return write(connection)
        return otherwise()


def connect(options: TrackingOptions, *, create: bool = True) -> MlflowBackend:
    """Return the connection to a store.

    Raises
    ------
    InputError, AwayError
        As :class:`MlflowBackend` does.
    """
    kind = MlflowBackend if options.database is None else SqliteBackend
    return kind(options, create=create)


@contextmanager
def _open(path: Path) -> Iterator[sqlite3.Connection]:
    """Open the file anew each time: it may have been deleted, or another have taken its place."""
    address = f"{path.as_uri()}?mode=rw"
    with closing(sqlite3.connect(address, uri=True, timeout=WAIT)) as connection:
        yield connection


def _has(connection: sqlite3.Connection, table: str, columns: str) -> bool:
    found = connection.execute(f"pragma table_info({table})").fetchall()
    return {row[1] for row in found} == set(columns.split())


def _check(connection: sqlite3.Connection, run_id: str) -> None:
    query = "select lifecycle_stage from runs where run_uuid = ?"
    if connection.execute(query, (run_id,)).fetchone() != ("active",):
        raise _LeftToMlflow  # which says so


def _insert(
    connection: sqlite3.Connection, table: str, rows: Sequence[tuple[object, ...]], how: str = ""
) -> None:
    columns = COLUMNS[table].split()
    marks = ", ".join("?" * len(columns))
    statement = f"insert {how} into {table} ({', '.join(columns)}) values ({marks})"
    connection.executemany(statement, rows)


def _pairs(table: str, values: Mapping[str, str], run_id: str) -> list[tuple[str, str, str]]:
    for key, value in values.items():
        if not _NAME.fullmatch(key) or len(value) > _LONGEST[table]:
            raise _LeftToMlflow
    return [(key, value, run_id) for key, value in values.items()]


def _is_plain(point: MetricPoint) -> bool:
    return math.isfinite(point.value) and bool(_NAME.fullmatch(point.name))


def _folder(uri: str) -> Path:
    parts = urlsplit(uri)
    if parts.scheme != "file" or parts.netloc or parts.query or parts.fragment:
        raise _LeftToMlflow
    return Path(url2pathname(parts.path))
