"""Signals wait while a store is being written to, and no moment leaves a run open."""

import os
import random
import signal
import threading
import time

import pytest

from softres.tracking.durable.interrupts import uninterrupted


class Stopped(BaseException):
    """What the handler of these tests raises."""


@pytest.fixture(autouse=True)
def handler():
    def stop(number, frame):
        raise Stopped(number)

    before = signal.signal(signal.SIGTERM, stop)
    yield stop
    signal.signal(signal.SIGTERM, before)


def stopped(times, done):
    """Get signals in an outer and an inner block, and note what is still done after them."""
    with uninterrupted():
        with uninterrupted():
            for _ in range(times):
                signal.raise_signal(signal.SIGTERM)
            done.append("inner")
        done.append("outer")


@pytest.mark.parametrize(("times", "expected"), [(1, ["inner", "outer"]), (2, [])])
def test_the_first_signal_waits_for_the_blocks_to_end_and_the_second_does_not(times, expected):
    done = []
    with pytest.raises(Stopped):
        stopped(times, done)
    assert done == expected


def test_handlers_are_put_back(handler):
    ctrl_c = signal.getsignal(signal.SIGINT)
    with uninterrupted():
        assert signal.getsignal(signal.SIGTERM) is not handler
    assert signal.getsignal(signal.SIGTERM) is handler
    assert signal.getsignal(signal.SIGINT) is ctrl_c


def test_other_threads_are_let_through():
    seen = []

    def work():
        with uninterrupted():
            seen.append("inside")

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == ["inside"]


def record(store, name, timer):
    """A run that ends only by what stops the process, which may be before it has begun."""
    timer.start()
    with store.start_run(name, {"n": 1}, {"key": "k1"}) as run:
        run.text("config.yaml", "n: 1")
        while True:
            time.sleep(0.001)


def test_no_moment_leaves_a_run_open(store, client):
    rng = random.Random(7)
    for k in range(60):
        end = (os.getpid(), signal.SIGTERM)
        timer = threading.Timer(rng.uniform(0.0, 0.03), os.kill, end)
        with pytest.raises(Stopped):
            record(store, f"run {k}", timer)
        timer.join()
    statuses = {run.info.status for run in client.search_runs([store.experiment_id])}
    assert statuses == {"KILLED"}
