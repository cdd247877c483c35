"""What a contestant is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec

from experiments.race.recorder import Recorder
from experiments.race.task import Task

__all__ = ["Contestant", "Run"]

#: A prepared run: starts the recorder's clock, hands it every iterate, and ends when it stalls.
Run = Callable[[Recorder], None]


def _nothing(n: int, d: int) -> float:
    return 0.0


@dataclass(frozen=True)
class Contestant:
    """A solver in the race.

    Attributes
    ----------
    name
        What tables and figures call it.
    side
        ``"ours"``, ``"hand"`` (written by hand in NumPy) or ``"outside"``.
    prepare
        Does what is done once for an instance (conversion of A, compilation) and returns the run.
        Timed apart.
    needs
        Packages that must be importable.
    sparse
        Whether it takes a sparse A.
    scratch
        Bytes that it needs beside A, from n and d.
    missing
        Returns why it cannot run at all, beyond a missing package; empty if it can.
    """

    name: str
    side: str
    prepare: Callable[[Task], Run]
    needs: tuple[str, ...] = ()
    sparse: bool = True
    scratch: Callable[[int, int], float] = _nothing
    missing: Callable[[], str] = str

    def absent(self) -> str:
        """Return why it cannot run at all; empty if it can."""
        lacking = [name for name in self.needs if find_spec(name) is None]
        if lacking:
            return f"needs {', '.join(lacking)}: pip install 'softres[benchmark]'"
        return self.missing()

    def unfit(self, task: Task, max_scratch: float) -> str:
        """Return why it cannot run on an instance; empty if it can."""
        if task.sparse and not self.sparse:
            return "no sparse A"
        scratch = self.scratch(*task.shape)
        if scratch > max_scratch:
            return f"needs {1e-9 * scratch:.0f} GB beside A"
        return ""
