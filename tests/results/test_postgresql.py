"""Runs are loaded from the database of an MLflow server as from a file."""

from __future__ import annotations

import warnings

import pytest
from postgres import postgres_database

from softres.common.errors import InputError
from softres.results import load
from softres.results.artifacts import local_folder
from softres.results.database import read_records

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def empty():
    with postgres_database() as address:
        yield address


@pytest.fixture(scope="module")
def filled(empty, store, tmp_path_factory):
    """A database with the runs of the sweep, their traces in a folder of its own."""
    from mlflow.entities import Metric, Param, RunTag
    from mlflow.tracking import MlflowClient

    folder = tmp_path_factory.mktemp("files")
    with warnings.catch_warnings():
        # Of MLflow's own tables, as they are mapped.
        warnings.simplefilter("ignore", DeprecationWarning)
        client = MlflowClient(tracking_uri=empty)
        experiment = client.create_experiment("softres", artifact_location=folder.as_uri())
    for record in read_records(store / "mlflow.db", None):
        run = client.create_run(experiment, start_time=record.start, run_name=record.name)
        client.log_batch(
            run.info.run_id,
            [Metric(key, value, record.start, 0) for key, value in record.metrics.items()],
            [Param(key, value) for key, value in record.params.items()],
            [RunTag(key, value) for key, value in record.tags.items()],
        )
        client.log_artifact(run.info.run_id, str(local_folder(record, []) / "trace.parquet"))
        client.set_terminated(run.info.run_id, record.state)
    return empty


def test_a_database_without_runs_is_refused_and_stays_empty(empty):
    import sqlalchemy

    with pytest.raises(InputError, match=r"^postgresql.*: no tables of MLflow are in it$"):
        load("last", store=empty)
    engine = sqlalchemy.create_engine(empty)
    assert sqlalchemy.inspect(engine).get_table_names() == []
    engine.dispose()


@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("where", [None, "params.solver = 'exact_newton'"])
def test_a_sweep_is_the_same_from_a_database(
    filled, store, runs, where, named, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    address = filled if named else filled.replace("+psycopg2", "")
    found = load("last", where=where, store=address)
    wanted = load("last", where=where, store=store)
    assert list(found.table["name"]) == list(wanted.table["name"])
    columns = ["solver", "n", "seed", "status", "steps", "relative_error_l2", "timing_valid"]
    assert found.table[columns].equals(wanted.table[columns])
    assert found.traces.drop(columns="run").equals(wanted.traces.drop(columns="run"))
    assert list(tmp_path.iterdir()) == []


def test_a_database_that_is_away_is_one_line_without_its_password():
    with pytest.raises(InputError) as caught:
        load("last", store="postgresql://me:s3cret@127.0.0.1:1/runs")
    assert "the store cannot answer" in str(caught.value)
    assert "s3cret" not in str(caught.value)
    assert "\n" not in str(caught.value)
