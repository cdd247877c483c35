"""What a contestant is."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from importlib.util import find_spec
from pathlib import Path

from experiments.race.recorder import Recorder
from experiments.race.task import Task
from softres.harness.keys.digests import files_digest, solver_digest
from softres.harness.keys.sources import used_files
from softres.problems import PROBLEMS
from softres.solvers import SOLVERS

__all__ = ["Contestant", "Run"]

#: A prepared run: starts the recorder's clock, hands it every iterate, and ends when it stalls.
Run = Callable[[Recorder], None]


def _nothing(n: int, d: int) -> float:
    return 0.0


@cache
def _digest(module: Path) -> str:
    # What a contestant is, in this module, changes no run.
    here = Path(__file__)
    within = used_files({module}, lambda _, file: file.parent == here.parent and file != here)
    return files_digest(within)


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
    solver
        The name of the solver of ours that it calls; empty where it calls none.
    """

    name: str
    side: str
    prepare: Callable[[Task], Run]
    needs: tuple[str, ...] = ()
    sparse: bool = True
    scratch: Callable[[int, int], float] = _nothing
    missing: Callable[[], str] = str
    solver: str = ""

    def code(self) -> str:
        """Return a digest of the code that it runs.

        It covers its module with what this imports of the other contestants', and all of a solver
        of ours. The versions of packages are in the results' ``environment.json``.
        """
        prepare = self.prepare.func if isinstance(self.prepare, partial) else self.prepare
        own = _digest(Path(inspect.getfile(prepare)))
        if self.solver not in SOLVERS:
            return own
        return f"{own}-{solver_digest(SOLVERS[self.solver], *PROBLEMS.values())}"

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
