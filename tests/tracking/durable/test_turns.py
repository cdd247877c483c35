"""Two processes that are given the same job take turns."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from softres.tracking import TrackingOptions
from softres.tracking.durable.turns import tidy_turns, turn

HOLD = """
import sys, time
from softres.tracking import TrackingOptions
from softres.tracking.durable.turns import turn
with turn(TrackingOptions(folder=sys.argv[1]), "k1", print):
    print("mine", flush=True)
    sys.stdin.read()
"""


def holder(folder):
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "mine\n"
    return process


def test_a_turn_waits_for_the_one_before_it_and_says_so(tmp_path):
    options = TrackingOptions(folder=str(tmp_path))
    with holder(tmp_path) as process:
        said = []

        def say(line):
            said.append(line)
            process.stdin.close()  # the other ends only now

        with turn(options, "k1", say):
            pass
    assert said == ["another process runs this job; waiting for it"]
    assert list((tmp_path / "turns").iterdir()) == []


def test_another_job_does_not_wait(tmp_path):
    said = []
    with holder(tmp_path) as process:
        with turn(TrackingOptions(folder=str(tmp_path)), "k2", said.append):
            pass
        process.stdin.close()
    assert said == []


def test_the_turn_of_a_process_that_dies_ends(tmp_path):
    said = []
    with holder(tmp_path) as process:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        with turn(TrackingOptions(folder=str(tmp_path)), "k1", said.append):
            assert said == []


def test_what_a_killed_process_leaves_of_its_turn_is_removed_and_no_turn_that_is_held(tmp_path):
    options = TrackingOptions(folder=str(tmp_path))
    left = tmp_path / "turns" / "k0.lock"
    left.parent.mkdir()
    left.touch()
    with holder(tmp_path) as process:
        tidy_turns(options)
        assert [path.name for path in left.parent.iterdir()] == ["k1.lock"]
        process.stdin.close()


def test_nothing_is_written_where_nothing_is_tracked(tmp_path):
    folder = Path(tmp_path / "none")
    with turn(TrackingOptions(folder=str(folder), enabled=False), "k1", print):
        pass
    assert not folder.exists()
