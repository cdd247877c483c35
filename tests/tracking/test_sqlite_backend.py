"""What is written straight into an SQLite store is what MLflow's client would have written."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from softres.tracking import TrackingOptions
from softres.tracking.backend import MlflowBackend
from softres.tracking.charts.curves import MetricPoint
from softres.tracking.protocol import InputData
from softres.tracking.sqlite_backend import COLUMNS, SqliteBackend

POINTS = [
    MetricPoint("loss", 3.0, 0, 1000),
    MetricPoint("loss", 1.0, 2, 1000),
    MetricPoint("loss", 2.0, 1, 3000),
    MetricPoint("loss", 1.5, 2, 1000),
    MetricPoint("steps", 7.0, 0, 1000),
    MetricPoint("steps", 7.0, 0, 1000),
]


def recorded(backend, tmp_path):
    """Record two runs of every kind of entry; return their ids."""
    file = tmp_path / "note.txt"
    file.write_text("kept", encoding="utf-8")
    ids = []
    for number, status in enumerate(("FINISHED", "FAILED")):
        run = backend.create_run(
            f"run {number}", {"mlflow.user": "me", "key": "a-b"}, 1000 + number
        )
        backend.log_params(run, {"n": "20", "solver": "exact_newton"})
        backend.log_input(run, InputData("synthetic", "abc", '{"a": 1}', '{"n": 20}'))
        backend.log_batch(run, POINTS[:4], {"sweep": "one"})
        backend.log_batch(run, POINTS, {"sweep": "two", "status": "converged"})
        backend.log_batch(run, [MetricPoint("loss", 9.0, 1, 9000)], {})
        backend.log_file(run, file)
        backend.end_run(run, status, 5000)
        ids.append(run)
    return ids


def rows(path, ids):
    """Return all rows of the tables, with the ids that MLflow makes up replaced by names."""
    with closing(sqlite3.connect(path)) as connection:
        names = {run: f"run {number}" for number, run in enumerate(ids)}
        names[str(path.parent)] = "folder"
        for number, (one,) in enumerate(connection.execute("select dataset_uuid from datasets")):
            names[one] = f"data {number}"

        def named(value):
            for one, name in names.items():
                if isinstance(value, str):
                    value = value.replace(one, name)
            return value

        found = {}
        for table, columns in COLUMNS.items():
            own = [column for column in columns.split() if column != "input_uuid"]
            query = f"select {', '.join(own)} from {table}"
            found[table] = sorted(
                map(repr, (tuple(map(named, r)) for r in connection.execute(query)))
            )
        return found


def test_rows_and_files_are_those_of_mlflow(tmp_path):
    found = []
    for kind in (MlflowBackend, SqliteBackend):
        options = TrackingOptions(folder=str(tmp_path / kind.__name__))
        ids = recorded(kind(options), tmp_path)
        files = sorted(p.read_text() for p in Path(options.folder).rglob("note.txt"))
        found.append((rows(options.database, ids), files))
    assert found[1] == found[0]
    assert len(found[0][1]) == 2


@pytest.fixture
def backend(tmp_path):
    return SqliteBackend(TrackingOptions(folder=str(tmp_path / "store")))


def test_tables_that_differ_are_left_to_mlflow(backend, tmp_path):
    with closing(sqlite3.connect(tmp_path / "store" / "mlflow.db")) as connection:
        connection.execute("alter table runs add column later varchar(9)")
    ids = recorded(backend, tmp_path)
    assert [backend.find("attributes.status = 'FINISHED'", 9)[0].run_id] == ids[:1]
    assert not backend._folders


def test_what_mlflow_refuses_is_refused(backend):
    from mlflow.exceptions import MlflowException

    with pytest.raises(MlflowException, match="not found"):
        backend.log_batch("0" * 32, POINTS, {})
    run = backend.create_run("a run", {}, 1000)
    backend.log_params(run, {"n": "1"})
    with pytest.raises(MlflowException, match="n"):
        backend.log_params(run, {"n": "2"})
    backend.client.delete_run(run)
    with pytest.raises(MlflowException, match="active"):
        backend.log_batch(run, POINTS, {})
