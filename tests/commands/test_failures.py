"""Jobs that fail, grow, meet a full disk or are told to end."""

from __future__ import annotations

import os
import re
import signal
import sqlite3
import subprocess
import time
from contextlib import closing

import pytest
from commanding import (
    ROOT,
    client,
    client_of,
    command,
    environment,
    rows_of_table,
    run,
    stored_runs,
)

# Loaded by Python itself at its start: makes the solve of one seed fail.
FAULT = """
import softres.harness.solving as job

real = job.solve

def solve(*arguments, **options):
    if options["seed"] == 1:
        raise RuntimeError("planted fault")
    return real(*arguments, **options)

job.solve = solve
"""


def test_a_job_that_fails_is_reported_at_once_and_the_sweep_goes_on(tmp_path):
    (tmp_path / "fault").mkdir()
    (tmp_path / "fault" / "sitecustomize.py").write_text(FAULT, encoding="utf-8")
    ended = run(
        tmp_path,
        *("-m", "seed=0,1,2", "n=60", "d=4"),
        stderr=subprocess.STDOUT,
        PYTHONPATH=os.pathsep.join([str(tmp_path / "fault"), str(ROOT)]),
    )
    assert ended.returncode == 1
    text = ended.stdout
    assert text.index("Traceback") < text.index("planted fault") < text.index("\njob 3 of 3")
    assert [rest.split(" ")[0] for *_, rest in rows_of_table(text)] == [
        "converged",
        "failed",
        "converged",
    ]
    assert "job 2 failed: RuntimeError: planted fault" in text
    assert "\n  alone and again: python run.py seed=1 n=60 d=4 force=true\n" in text
    runs = stored_runs(tmp_path)
    assert [stored.info.status for stored in runs] == ["FINISHED", "FAILED", "FINISHED"]
    failed = runs[1]
    assert failed.data.tags["error"] == "RuntimeError: planted fault"
    assert failed.data.params["seed"] == "1"
    files = [file.path for file in client(tmp_path).list_artifacts(failed.info.run_id)]
    assert "error.txt" in files


def test_a_job_that_needs_too_much_memory_fails_in_one_line_and_the_sweep_goes_on(tmp_path):
    ended = run(tmp_path, "-m", "n=600000,60", "d=20", "memory_limit=0.05")
    assert ended.returncode == 1
    said = r"softres: job 1 \(.*\): memory_limit=0\.05: A with n=600000 and d=20 alone .*\n"
    assert re.fullmatch(said, ended.stderr)
    (stored,) = stored_runs(tmp_path)
    assert stored.info.status == "FINISHED"


def test_a_job_that_grows_beyond_its_memory_is_stopped(tmp_path):
    ended = run(tmp_path, "-m", "n=60000", "d=40", "memory_limit=0.03")
    assert ended.returncode == 1
    assert re.search(
        r"^softres: job 1 .* memory_limit=0\.03: the job needs more", ended.stderr, re.M
    )
    assert [stored.info.status for stored in stored_runs(tmp_path)] in ([], ["FAILED"])


def test_a_job_that_two_commands_run_at_once_is_recorded_once(tmp_path):
    words = ("n=60000", "d=30", "solver=exact_newton")
    both = [
        subprocess.Popen(
            command(*words),
            cwd=tmp_path,
            env=environment(tmp_path),
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    said = [process.communicate(timeout=120)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert sorted("skipped, run" in text for text in said) == [False, True]
    (stored,) = stored_runs(tmp_path)
    assert stored.info.status == "FINISHED"


def test_a_full_disk_fails_jobs_and_nothing_else(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = ["mount", "-t", "tmpfs", "-o", "size=1500k", "tmpfs", str(disk)]
    if os.geteuid() != 0 or subprocess.call(mounted, stderr=subprocess.DEVNULL) != 0:
        pytest.skip("only root may mount a small disk to fill")
    try:
        where = f"tracking.folder={disk}"
        first = run(tmp_path, "-m", "seed=range(12)", "n=60", "d=4", where)
        kept = client_of(disk).search_runs(["1"])
        finished = {stored.info.run_id for stored in kept if stored.info.status == "FINISHED"}
        assert first.returncode in (1, 2), first.stderr
        assert len(finished) < 12
        subprocess.run(["mount", "-o", "remount,size=100m", str(disk)], check=True)
        second = run(tmp_path, "-m", "seed=range(12)", "n=60", "d=4", where)
        assert second.returncode == 0, second.stderr
        runs = client_of(disk).search_runs(["1"])
        done = [stored for stored in runs if stored.info.status == "FINISHED"]
        assert len({stored.data.tags["key"] for stored in done}) == len(done) == 12
        assert finished <= {stored.info.run_id for stored in done}
        assert "RUNNING" not in {stored.info.status for stored in runs}
        assert not list(disk.glob("spool/*/run.json"))
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


def statuses_in(database):
    """The statuses of a store's runs, oldest first."""
    if not database.exists():
        return []
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as store:
        try:
            rows = store.execute("SELECT status FROM runs ORDER BY start_time").fetchall()
        except sqlite3.OperationalError:  # its tables are being made
            return []
    return [status for (status,) in rows]


@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGTERM, 143), pytest.param(signal.SIGINT, 130, marks=pytest.mark.slow)],
)
def test_a_run_that_is_told_to_end_is_not_left_open(tmp_path, number, code):
    hard = ("n=400", "d=20", "data.condition=1e5", "weights=none", "eps=1e-14")
    process = subprocess.Popen(
        command(*hard, "solver=gradient_descent", "max_steps=1000000000"),
        cwd=tmp_path,
        env=environment(tmp_path),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        # A shell that starts the tests in the background has them ignore SIGINT.
        preexec_fn=lambda: signal.signal(number, signal.SIG_DFL),  # noqa: PLW1509
    )
    try:
        database = tmp_path / "results" / "mlflow.db"
        deadline = time.monotonic() + 60
        while statuses_in(database) != ["RUNNING"]:
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.1)
        process.send_signal(number)
        assert process.wait(timeout=30) == code
    finally:
        process.kill()
        process.wait()
    (stored,) = stored_runs(tmp_path)
    assert stored.info.status == "KILLED"
    assert stored.data.tags["error"]
    assert stored.info.end_time >= stored.info.start_time


def test_a_sweep_that_is_interrupted_says_how_far_it_came(tmp_path):
    hard = ("n=400", "d=20", "data.condition=1e5", "weights=none", "eps=1e-14")
    process = subprocess.Popen(
        command("-m", *hard, "solver=gradient_descent", "max_steps=1,1000000000"),
        cwd=tmp_path,
        env=environment(tmp_path),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509
    )
    try:
        deadline = time.monotonic() + 60
        while "RUNNING" not in statuses_in(tmp_path / "results" / "mlflow.db")[1:]:
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=30)[1]
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 130
    expected = "softres: interrupted; 1 of 2 jobs are done; the same command goes on from here\n"
    assert said == expected
