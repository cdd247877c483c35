import multiprocessing
import os
import signal
import subprocess
import sys
from dataclasses import replace

import pytest

from softres.tracking import TrackingOptions, open_store
from softres.tracking.durable import processes
from softres.tracking.durable.processes import FIRST_NAMESPACE, identity, is_gone
from softres.tracking.sweeps import members_of


def test_finished_runs_are_found_by_their_key(store):
    assert store.find_finished("k1") == []
    with store.start_run("first", {}, {"key": "k1", "status": "converged"}) as run:
        run.metrics({"steps": 12.0})
        assert store.find_finished("k1") == []
    (found,) = store.find_finished("k1")
    assert (found.run_id, found.name, found.metrics) == (run.run_id, "first", {"steps": 12.0})
    assert found.tags["status"] == "converged"
    assert store.find_finished("k2") == []


def test_a_run_belongs_to_every_sweep_that_asked_for_it(options, store, client):
    later = open_store(replace(options, sweep="2026-01-02 n & d"))
    with store.start_run("a run", {}, {"key": "k1"}) as run:
        pass
    for _ in range(2):
        later.join_sweep(later.find_finished("k1")[0])
    with later.start_run("of the later sweep alone", {}, {}) as other:
        pass

    def members(sweep):
        found = client.search_runs([store.experiment_id], members_of(sweep))
        return {stored.info.run_id for stored in found}

    assert members("a sweep") == {run.run_id}
    assert members("2026-01-02 n & d") == {run.run_id, other.run_id}
    assert client.get_run(run.run_id).data.tags["sweep"] == "a sweep"


def test_failed_runs_are_not_found(store):
    with pytest.raises(OSError, match="disk"), store.start_run("a run", {}, {"key": "k1"}):
        raise OSError("disk")
    assert store.find_finished("k1") == []


def test_keys_are_checked(store):
    with pytest.raises(ValueError, match="run key"):
        store.find_finished("a' or ''='")


def test_opening_leaves_live_runs_alone(options, store, client):
    with store.start_run("alive", {}, {}) as run:
        assert open_store(options).close_stale_runs() == []
        assert client.get_run(run.run_id).info.status == "RUNNING"


@pytest.mark.parametrize("patient", [True, False])
def test_runs_of_dead_processes_are_ended(options, store, client, patient):
    code = f"""
import os, signal
from softres.tracking import TrackingOptions, open_store
run = open_store({options!r}).start_run("left behind", {{}}, {{}}).__enter__()
print(run.run_id, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    run_id = done.stdout.split()[-1]
    assert client.get_run(run_id).info.status == "RUNNING"
    open_store(options, patient=patient)
    stored = client.get_run(run_id)
    assert stored.info.status == "KILLED"
    assert "ended without ending this run" in stored.data.tags["error"]
    assert stored.info.end_time is not None


def test_a_process_is_told_from_a_later_one_with_its_pid():
    me = identity()
    assert not is_gone(me)
    assert not is_gone({**me, "host": "elsewhere", "pid": "999999999"})
    assert not is_gone({})
    assert is_gone({**me, "pid": "999999999"})
    start = float(me["process_start"])
    assert is_gone({**me, "process_start": str(start - 3600)})
    assert not is_gone({**me, "process_start": str(start + 1)})  # the clock was set


@pytest.mark.parametrize("other", ["boot", "pid_namespace"])
def test_a_process_of_another_container_of_the_same_name_counts_as_alive(other):
    unknown = identity() | {"pid": "999999999"}
    assert is_gone(unknown)
    assert not is_gone(unknown | {other: "another", "machine": "another"})


def test_a_process_from_before_a_restart_of_the_machine_is_gone(monkeypatch):
    here = {"machine": "m", "boot": "1", "pid_namespace": FIRST_NAMESPACE}
    monkeypatch.setattr(processes, "_place", lambda: here)
    before = identity() | {"boot": "0"}  # its pid is this process's
    assert is_gone(before)
    assert not is_gone(before | {"machine": "another of that name"})
    monkeypatch.setitem(here, "machine", "")  # containers often have none
    assert not is_gone(before | {"machine": ""})


def test_a_start_in_another_form_leaves_the_pid_to_decide():
    me = identity() | {"process_start": "0a1b2c3d-123456"}
    assert not is_gone(me)
    assert is_gone({**me, "pid": "999999999"})


def test_a_dead_process_nobody_has_waited_for_is_gone():
    with subprocess.Popen([sys.executable, "-c", ""]) as child:
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert is_gone({**identity(), "pid": str(child.pid), "process_start": "any"})


def _open_and_log(folder, barrier, results):
    barrier.wait()
    try:
        store = open_store(TrackingOptions(folder=folder))
        with store.start_run("one of eight", {"pid": os.getpid()}, {}) as run:
            run.metrics({"value": 1.0})
        results.put((store.experiment_id, None))
    except BaseException as error:
        results.put((None, repr(error)))


@pytest.mark.slow
def test_many_processes_open_a_store_that_does_not_exist_yet(tmp_path):
    context = multiprocessing.get_context("spawn")
    barrier, results = context.Barrier(8), context.Queue()
    processes = [
        context.Process(target=_open_and_log, args=(str(tmp_path / "new"), barrier, results))
        for _ in range(8)
    ]
    for process in processes:
        process.start()
    outcomes = [results.get(timeout=120) for _ in processes]
    for process in processes:
        process.join()
    results.close()
    results.join_thread()
    assert [error for _, error in outcomes if error] == []
    assert len({experiment for experiment, _ in outcomes}) == 1
    store = open_store(TrackingOptions(folder=str(tmp_path / "new")))
    finished = store._backend.find("attributes.status = 'FINISHED'", limit=100)
    assert len(finished) == 8
    assert sorted(p.name for p in (tmp_path / "new").iterdir()) == ["mlflow.db", "mlflow.db.lock"]
