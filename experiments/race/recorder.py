"""The clock of a run: it stands still while an iterate's error is taken."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import inf, isfinite
from time import perf_counter, process_time
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

__all__ = ["Clock", "Finished", "Mark", "Recorder"]

#: Which seconds limit a run and rank it: of the wall, or of the processor (all threads).
Clock = Literal["wall", "cpu"]

Vector = npt.NDArray[np.float64]

#: Iterates in a row, none of them better than all before by one in a hundred, that end a run.
PATIENCE = 1000


class Finished(Exception):  # noqa: N818 - a way to end a run, not an error
    """Raised inside a contestant to end its run: the goal is reached, or the time is up."""


@dataclass(frozen=True)
class Mark:
    """Where a run stood at one iterate.

    Attributes
    ----------
    seconds, cpu_seconds
        Wall and processor time so far, recording left out.
    passes, grams
        Products with A per right-hand side, and weighted Gram matrices, so far.
    error
        |x - x*| / |x0 - x*| in the norm of the Hessian at x*.
    """

    seconds: float
    cpu_seconds: float
    passes: int
    grams: int
    error: float


class Recorder:
    """Takes a run's iterates and ends it.

    Parameters
    ----------
    error
        Returns the error of an iterate on the host, shape (d,).
    goal
        The error at which the run ends.
    limit
        Seconds of the clock after which it ends.
    clock
        Which clock the limit is on.
    """

    def __init__(
        self, error: Callable[[Vector], float], goal: float, limit: float, clock: Clock = "wall"
    ) -> None:
        self._error = error
        self.goal = goal
        self.limit = limit
        self._clock = clock
        self._wall = self._cpu = 0.0  # seconds of finished stretches
        self._wall_start = self._cpu_start = 0.0
        self._least, self._last_gain = inf, 0
        self.marks: list[Mark] = []
        self.x: Vector | None = None

    def start(self) -> None:
        """Start the clock."""
        self._wall_start, self._cpu_start = perf_counter(), process_time()

    def _now(self) -> tuple[float, float]:
        return (
            self._wall + perf_counter() - self._wall_start,
            self._cpu + process_time() - self._cpu_start,
        )

    def total(self) -> tuple[float, float]:
        """Stop for good, and return wall and processor seconds."""
        return self._now()

    def __call__(self, x: Any, passes: int, grams: int = 0) -> None:
        """Take an iterate, shape (d,) on the host, and the work done so far.

        Raises
        ------
        Finished
            If the goal is reached, the time is up, the iterate is not finite, or the error has long
        not fallen.
        """
        self._wall, self._cpu = self._now()
        host = np.array(x, dtype=np.float64)
        error = self._error(host) if np.isfinite(host).all() else inf
        self.marks.append(Mark(self._wall, self._cpu, passes, grams, error))
        if isfinite(error):
            self.x = host
        self.start()
        if error <= self.goal:
            raise Finished("reached")
        if not isfinite(error):
            raise Finished("left the range of doubles")
        if error < 0.99 * self._least:
            self._least, self._last_gain = error, len(self.marks)
        elif len(self.marks) - self._last_gain >= PATIENCE:
            raise Finished("stalled")
        self.check()

    def check(self) -> None:
        """Raise :class:`Finished` if the time is up; for use within an iteration."""
        wall, cpu = self._now()
        if (wall if self._clock == "wall" else cpu) > self.limit:
            raise Finished("time limit")
