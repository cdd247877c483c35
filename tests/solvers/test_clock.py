"""The meter: three clocks that do not overlap, phases, and the passes that solving makes."""

from __future__ import annotations

import pytest

import softres.solvers.clock
from softres.matrices import PassCounter
from softres.matrices.backends import Queue
from softres.solvers.clock import Meter


class FakeTime:
    """A clock that only moves when told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    def pass_by(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def time(monkeypatch):
    fake = FakeTime()
    monkeypatch.setattr(softres.solvers.clock, "perf_counter", fake)
    return fake


def test_each_clock_counts_its_own_seconds_and_no_others(time):
    meter = Meter(PassCounter())
    for name, seconds in (("solve", 1.0), ("evaluate", 2.0), ("log", 4.0), ("solve", 8.0)):
        with meter.clock(name):
            time.pass_by(seconds)
        time.pass_by(100.0)  # between the clocks nothing is counted
    assert meter.seconds == {"solve": 9.0, "evaluate": 2.0, "log": 4.0}


@pytest.mark.parametrize("inner", ["solve", "evaluate", "log"])
def test_a_clock_cannot_start_inside_another(inner):
    meter = Meter(PassCounter())
    with (
        meter.clock("solve"),
        pytest.raises(RuntimeError, match="solve is running"),
        meter.clock(inner),
    ):
        raise AssertionError("two clocks ran at once")


def test_a_clock_stops_where_its_block_fails(time):
    meter = Meter(PassCounter())

    def fail_after(seconds: float) -> None:
        with meter.clock("evaluate"):
            time.pass_by(seconds)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_after(3.0)
    assert meter.seconds["evaluate"] == 3.0
    with meter.clock("solve"):
        time.pass_by(1.0)
    assert meter.seconds["solve"] == 1.0


def test_phases_split_the_seconds_of_solve(time):
    meter = Meter(PassCounter())
    with meter.clock("solve"):
        with meter.phase("factor"):
            time.pass_by(1.0)
        time.pass_by(2.0)
        with meter.phase("factor"):
            time.pass_by(4.0)
    assert meter.phases == {"factor": 5.0}
    assert meter.seconds["solve"] == 7.0


def test_only_what_solve_counts_is_reported():
    counter = PassCounter()
    meter = Meter(counter)
    for name, passes in (("solve", 3), ("evaluate", 10), ("log", 100), ("solve", 2)):
        with meter.clock(name):
            counter.add(passes=passes, grams=1)
    counter.add(passes=1000)
    assert (meter.passes, meter.grams) == (5, 2)


class Mark:
    """An event in a device's queue, which is a second behind."""

    def __init__(self, time: FakeTime) -> None:
        self.at = time() + 1.0

    def elapsed_time(self, until: Mark) -> float:
        return 1000.0 * (until.at - self.at)


def test_clocks_wait_for_the_device_and_phases_leave_marks_in_its_queue(time):
    waits = []
    meter = Meter(PassCounter(), Queue(lambda: waits.append(None), lambda: Mark(time)))
    with meter.clock("solve"):
        assert len(waits) == 1
        with meter.phase("factor"):
            time.pass_by(3.0)
        assert len(waits) == 1
        assert not meter.phases
    assert len(waits) == 2
    assert meter.phases == {"factor": 3.0}
