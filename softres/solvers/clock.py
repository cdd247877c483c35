"""Three clocks that never overlap, and the phases of a step."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from contextlib import AbstractContextManager
from contextvars import Token
from time import perf_counter
from typing import Any

from softres.matrices import PassCounter
from softres.matrices.backends import Queue

__all__ = ["Meter"]


#: On the host every operation has ended when it returns.
_NO_QUEUE = Queue(lambda: None)


class _Clock:
    """One stretch of a clock; a generator would take longer than a small product."""

    __slots__ = ("meter", "name")

    def __init__(self, meter: Meter, name: str) -> None:
        self.meter = meter
        self.name = name

    def __enter__(self) -> None:
        self.meter._start(self.name)

    def __exit__(self, *_: object) -> None:
        self.meter._stop(self.name)


class _Phase:
    """Adds the seconds inside to a phase of a step."""

    __slots__ = ("name", "seconds", "since")

    def __init__(self, name: str, seconds: defaultdict[str, float]) -> None:
        self.name = name
        self.seconds = seconds

    def __enter__(self) -> None:
        self.since = perf_counter()

    def __exit__(self, *_: object) -> None:
        self.seconds[self.name] += perf_counter() - self.since


class _MarkedPhase:
    """The same on a device, between two events in its queue: to wait for it would hold it up."""

    __slots__ = ("mark", "marks", "name", "since")

    def __init__(
        self, name: str, mark: Callable[[], Any], marks: list[tuple[str, Any, Any]]
    ) -> None:
        self.name = name
        self.mark = mark
        self.marks = marks

    def __enter__(self) -> None:
        self.since = self.mark()

    def __exit__(self, *_: object) -> None:
        self.marks.append((self.name, self.since, self.mark()))


class Meter:
    """Seconds and passes over A, kept apart for solving, evaluating and logging.

    ``with meter.clock("solve")`` and its siblings do not nest: what is measured as evaluation or
    logging can never be inside solve. Within solve, ``with meter.phase("factor")`` splits the
    seconds further.

    Parameters
    ----------
    counter
        The pass counter of the matrix; only what is counted during ``solve`` is reported, and of
        that only what the solve's own thread, or one in its context, asked for.
    queue
        A device's: every clock waits for it where it stops, and phases leave marks in it.

    Attributes
    ----------
    seconds
        Seconds of each clock, ``solve``, ``evaluate`` and ``log``.
    phases
        Seconds of each phase within solve.
    """

    def __init__(self, counter: PassCounter, queue: Queue = _NO_QUEUE) -> None:
        self.seconds = {"solve": 0.0, "evaluate": 0.0, "log": 0.0}
        self.phases: defaultdict[str, float] = defaultdict(float)
        self._counter = counter
        self._own = PassCounter()
        self._tally: Token[Any] | None = None
        self._queue = queue
        self._marks: list[tuple[str, Any, Any]] = []
        self._running: str | None = None
        self._since = 0.0

    @property
    def passes(self) -> float:
        """Passes over A during solve."""
        return self._own.passes

    @property
    def grams(self) -> float:
        """Weighted Gram matrices during solve."""
        return self._own.grams

    def clock(self, name: str) -> AbstractContextManager[None]:
        """Run one of the three clocks.

        Raises
        ------
        RuntimeError
            On entering, if another clock is running.
        """
        return _Clock(self, name)

    def _start(self, name: str) -> None:
        if self._running is not None:
            raise RuntimeError(f"the {name} clock cannot start while {self._running} is running")
        self._queue.synchronise()
        if name == "solve":
            self._tally = self._counter.start_tally(self._own)
        self._running, self._since = name, perf_counter()

    def _stop(self, name: str) -> None:
        self._queue.synchronise()
        self.seconds[name] += perf_counter() - self._since
        for phase, since, until in self._marks:
            self.phases[phase] += since.elapsed_time(until) / 1000.0
        self._marks.clear()
        self._running = None
        if self._tally is not None:
            self._counter.stop_tally(self._tally)
            self._tally = None

    def phase(self, name: str) -> AbstractContextManager[None]:
        """Count the seconds inside towards a phase of the step; only within solve."""
        if self._queue.mark is None:
            return _Phase(name, self.phases)
        return _MarkedPhase(name, self._queue.mark, self._marks)
