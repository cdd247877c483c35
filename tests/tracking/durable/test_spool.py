"""A store that goes away in the middle of things: the disk that holds its file is taken off."""

import json
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from disks import COLUMNS, DATA, TRACE, check_complete, finish, points, sync
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import UNAUTHENTICATED

from softres.common.errors import InputError
from softres.tracking.durable.spool import Spool
from softres.tracking.sqlite_backend import SqliteBackend
from softres.tracking.sweeps import in_sweep, members_of


def test_a_run_whose_store_goes_away_is_delivered_later(disk, capfd):
    store = disk.open()
    with store.start_run("a run", {"n": 5}, {"key": "k1"}) as run:
        run.curves({name: values[:2] for name, values in TRACE.items()}, **COLUMNS, final=False)
        disk.take_off()
        run.curves(TRACE, **COLUMNS)
        run.table(TRACE)
        run.works_on(DATA)
        run.tags({"status": "converged"})
        run.metrics({"steps": 2.0})
    assert store.waiting_runs() == 1
    assert capfd.readouterr().err.count("softres: warning:") == 1
    disk.put_back()
    assert disk.open().waiting_runs() == 0
    client, (stored,) = disk.stored()
    assert stored.info.run_id == run.run_id
    check_complete(client, stored, run.start)
    assert "delivered 1 runs" in capfd.readouterr().out


def test_runs_that_begin_without_their_store_are_delivered_with_one_warning(disk, capfd):
    disk.open()
    disk.take_off()
    runs = [finish(disk.open(), f"run {k}", {"key": f"k{k}"}) for k in range(3)]
    assert capfd.readouterr().err.count("softres: warning:") == 1
    disk.put_back()
    disk.open()
    client, stored = disk.stored()
    by_name = {run.info.run_name: run for run in stored}
    assert sorted(by_name) == ["run 0", "run 1", "run 2"]
    for run in runs:
        check_complete(client, by_name[run.name], run.start)
        assert by_name[run.name].info.start_time == run.start
        assert by_name[run.name].info.end_time >= run.start


def test_a_waiting_run_counts_as_finished(disk):
    disk.open()
    disk.take_off()
    finish(disk.open())
    (found,) = disk.open().find_finished("k1")
    assert (found.name, found.metrics["steps"]) == ("a run", 2.0)
    assert disk.open().find_finished("k2") == []


def test_a_waiting_run_joins_a_sweep_where_it_waits(disk):
    disk.open()
    disk.take_off()
    finish(disk.open())
    disk.options = replace(disk.options, sweep="later")
    store = disk.open()
    store.join_sweep(store.find_finished("k1")[0])
    disk.put_back()
    disk.open()
    client, (run,) = disk.stored()
    assert in_sweep("later").items() <= run.data.tags.items()
    assert len(client.search_runs([run.info.experiment_id], members_of("later"))) == 1


def test_a_store_that_goes_away_before_a_run_joins_a_sweep_is_no_error(disk, capfd):
    finish(disk.open())
    disk.options = replace(disk.options, sweep="later")
    store = disk.open()
    (found,) = store.find_finished("k1")
    disk.take_off()
    store.join_sweep(found)
    assert capfd.readouterr().err.count("takes no records now") == 1
    disk.put_back()
    _, (run,) = disk.stored()
    assert not in_sweep("later").items() <= run.data.tags.items()


@pytest.mark.parametrize("kept", ["run.json", "points-0000.parquet"])
def test_a_delivery_that_was_cut_short_is_taken_up(disk, tmp_path, kept):
    disk.open()
    disk.take_off()
    run = finish(disk.open())
    (waiting,) = disk.waiting()
    shutil.copytree(waiting.folder, tmp_path / "copy")
    assert (waiting.folder / kept).exists()
    disk.put_back()
    disk.open()
    shutil.copytree(tmp_path / "copy", waiting.folder)  # as if it had not been removed yet
    disk.open()
    client, (stored,) = disk.stored()
    check_complete(client, stored, run.start)
    assert disk.waiting() == []


@pytest.mark.parametrize(
    ("tags", "runs"),
    [
        ({"max_steps": "9", "time_limit": "None"}, 1),
        ({"max_steps": "10", "time_limit": "None"}, 2),
        ({"max_steps": "9", "time_limit": "2.0"}, 2),
        ({"max_steps": "9", "time_limit": "None", "forced": "true"}, 2),
    ],
)
def test_a_job_that_the_store_had_already_is_not_recorded_twice(disk, tags, runs):
    base = {"key": "k1", "max_steps": "9", "time_limit": "None"}
    finish(disk.open(), "first", base)
    disk.take_off()
    finish(disk.open(), "second", base | tags)
    disk.put_back()
    disk.open()
    assert len(disk.stored()[1]) == runs
    assert disk.waiting() == []


def test_a_run_that_waits_is_not_taken_for_a_stale_one(disk):
    code = f"""
from softres.tracking import TrackingOptions, open_store
from pathlib import Path
with open_store({disk.options!r}, patient=True).start_run("a run", {{}}, {{"key": "k1"}}) as run:
    Path({str(disk.there)!r}).rename({str(disk.gone)!r})
    Path({str(disk.there)!r}).touch()
    run.metrics({{"steps": 1.0}})
"""
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    disk.put_back()
    (waiting,) = disk.waiting()
    client, (stored,) = disk.stored()
    assert (stored.info.run_id, stored.info.status) == (waiting.run_id, "RUNNING")
    with Spool.of(disk.options).alone():  # another process delivers
        assert disk.open().waiting_runs() == 1
        assert client.get_run(waiting.run_id).info.status == "RUNNING"
    disk.open()
    assert client.get_run(waiting.run_id).info.status == "FINISHED"


def test_a_process_that_dies_while_its_store_is_away_leaves_a_killed_run(disk):
    code = f"""
import os, signal
from pathlib import Path
from softres.tracking import TrackingOptions, open_store
store = open_store({disk.options!r}, patient=True)
run = store.start_run("a run", {{}}, {{"key": "k1"}}).__enter__()
Path({str(disk.there)!r}).rename({str(disk.gone)!r})
Path({str(disk.there)!r}).touch()
run.curves({TRACE!r}, **{COLUMNS!r}, final=False)
os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    disk.put_back()
    assert disk.open().find_finished("k1") == []
    client, (run,) = disk.stored()
    assert run.info.status == "KILLED"
    assert [step for step, *_ in points(client, run)] == [0, 1, 2]
    assert disk.waiting() == []


def test_what_a_store_refuses_is_set_aside(disk, capfd):
    store = disk.open()
    with store.start_run("a run", {}, {}) as run:
        disk.take_off()
        run.metrics({"steps": 1.0})
    disk.put_back()
    client, _ = disk.stored()
    client.delete_run(run.run_id)
    disk.open()
    assert disk.waiting() == []
    (aside,) = Path(disk.options.folder).glob("spool/*.refused")
    assert json.loads((aside / "run.json").read_text())["metrics"] == {"steps": 1.0}
    assert "the store refuses" in capfd.readouterr().err


def turned_away(*_, **__):
    raise MlflowException("x", error_code=UNAUTHENTICATED)


def test_a_run_whose_user_is_turned_away_is_kept_and_no_other_begins(disk, capfd, monkeypatch):
    store = disk.open()
    monkeypatch.delenv("MLFLOW_TRACKING_USERNAME", raising=False)
    with monkeypatch.context() as patch:
        with store.start_run("a run", {"n": 5}, {"key": "k1"}) as run:
            for name in ("log_batch", "log_file", "end_run", "find"):
                patch.setattr(SqliteBackend, name, turned_away)
            run.curves(TRACE, **COLUMNS)
            run.table(TRACE)
            run.works_on(DATA)
            run.tags({"status": "converged"})
            run.metrics({"steps": 2.0})
        said = capfd.readouterr().err
        assert said.count("softres: warning:") == 1
        assert "asks for a user and a password" in said
        with pytest.raises(InputError, match="asks for a user and a password"):
            disk.open()
        assert len(disk.waiting()) == 1  # it is not set aside
    disk.open()
    client, (stored,) = disk.stored()
    check_complete(client, stored, run.start)
    assert disk.waiting() == []


def test_sync_delivers_what_waits(disk):
    disk.open()
    disk.take_off()
    run = finish(disk.open())
    ended = sync(disk)
    assert (ended.returncode, ended.stdout) == (1, "delivered 0 runs, 1 wait\n")
    disk.put_back()
    ended = sync(disk)
    assert (ended.returncode, ended.stdout) == (0, "delivered 1 runs, 0 wait\n"), ended.stderr
    client, (stored,) = disk.stored()
    check_complete(client, stored, run.start)
    assert sync(disk).stdout == "nothing waits\n"
