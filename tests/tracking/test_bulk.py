"""Many runs of an SQLite store at once are those that MLflow finds one by one."""

from __future__ import annotations

import math

import pytest

from softres.tracking import TrackingOptions, bulk, open_store
from softres.tracking.sweeps import in_sweep


@pytest.fixture
def store(tmp_path):
    store = open_store(TrackingOptions(folder=str(tmp_path / "store"), sweep="first"))
    for number, key in enumerate(("a-1", "b-1", "a-1", "c-1")):
        with store.start_run(f"run {number}", {"n": number}, {"key": key}) as run:
            run.metrics({"steps": float(number)})
    try:
        with store.start_run("failed", {}, {"key": "d-1"}):
            raise ArithmeticError
    except ArithmeticError:
        pass
    other = TrackingOptions(folder=str(tmp_path / "store"), experiment="other")
    with open_store(other).start_run("elsewhere", {}, {"key": "a-1"}):
        pass
    return store


def test_runs_of_keys_are_those_that_mlflow_finds(store):
    keys = ["a-1", "b-1", "d-1", "none"]
    found = store.find_all_finished(keys)
    slow = {key: store._backend.find(f"tags.key = '{key}'", 20) for key in keys}
    assert sorted(found) == ["a-1", "b-1"]
    assert {run.run_id for run in found["a-1"]} == {run.run_id for run in slow["a-1"]}
    (one,), (same,) = found["b-1"], slow["b-1"]
    assert (one.name, one.tags, one.metrics) == (same.name, same.tags, same.metrics)


def test_all_finished_runs_are_those_that_mlflow_finds(store):
    slow = store._backend.find("attributes.status = 'FINISHED'", 20)
    quick = bulk.every_finished(store.options.database, store.experiment_id)
    assert sorted(map(repr, quick)) == sorted(map(repr, slow))
    assert len(store.finished_runs(all_of_a_key=True)) == 4
    assert len(store.finished_runs()) == 3


def test_a_run_that_is_new_is_found_again_and_a_deleted_one_is_not(store):
    assert "e-1" not in store.find_all_finished(["e-1"])
    with store.start_run("new", {}, {"key": "e-1"}) as run:
        assert store.find_finished("e-1") == []  # it goes on
    assert [one.run_id for one in store.find_finished("e-1")] == [run.run_id]
    store._backend.client.delete_run(run.run_id)
    assert store.find_finished("e-1") == []


def test_a_store_in_the_place_of_another_is_another(store, tmp_path):
    assert store.find_all_finished(["a-1"])
    database = store.options.database
    database.rename(tmp_path / "away.db")
    assert bulk.finished_at_once(database, "1", ["a-1"]) is None
    bulk_copy = open_store(TrackingOptions(folder=str(tmp_path / "new")))
    bulk_copy.options.database.rename(database)
    assert bulk.finished_at_once(database, "1", ["a-1"]) == {}


def test_runs_join_a_sweep_together(store):
    runs = store.finished_runs()
    later = open_store(TrackingOptions(folder=store.options.folder, sweep="later"))
    later.join_sweep_at_once(runs)
    (tag,) = in_sweep("later").items()
    stored = later._backend.find(f"tags.`{tag[0]}` = 'later'", 20)
    assert {run.run_id for run in stored} == {run.run_id for run in runs}
    assert all(run.metrics["steps"] >= 0 and not math.isnan(run.metrics["steps"]) for run in stored)
