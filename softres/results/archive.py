"""A race that is kept: what others took on instances of their own, to hold a sweep against."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from softres.common.errors import InputError
from softres.common.presets import conf_folder

if TYPE_CHECKING:
    from softres.results.runs import Runs

__all__ = ["KEPT", "Archive", "open_archive"]

#: What is kept with the project is called this.
KEPT = "reference"
_FILES = ("medians.csv", "environment.json")
#: Tags of a run, and entries of an archive, that have to agree for seconds to be compared.
_MACHINE = ("cpu", "cores", "blas_threads")


@dataclass(frozen=True)
class Archive:
    """A race's medians and how it was run, as ``scripts/benchmark.py`` writes them.

    Attributes
    ----------
    name
        What figures call it.
    folder
        Where ``medians.csv`` and ``environment.json`` are.
    """

    name: str
    folder: Path

    @cached_property
    def medians(self) -> pd.DataFrame:
        """One row an instance, contestant and level; missing where the level was not reached.

        Of the instances that every contestant ran on: a share of others compares nothing.
        """
        table = pd.read_csv(self.folder / _FILES[0])
        ran = table.groupby("contestant")["instance"].agg(set)
        return table[table["instance"].isin(set.intersection(*ran))]

    @cached_property
    def environment(self) -> dict[str, Any]:
        """Machine, packages, commits and rules."""
        found: dict[str, Any] = json.loads((self.folder / _FILES[1]).read_text(encoding="utf-8"))
        return found

    @property
    def targets(self) -> tuple[float, ...]:
        """The relative errors in the norm of the Hessian that were timed, the largest first."""
        return tuple(sorted(self.medians["level"].unique().tolist(), reverse=True))

    def spent(self, clock: str) -> dict[str, np.ndarray]:
        """Return for each contestant what it took, one figure a pair; infinite where it missed.

        Parameters
        ----------
        clock
            ``passes`` or ``solve_seconds``.
        """
        column = "seconds" if clock == "solve_seconds" else clock
        groups = self.medians.groupby("contestant", sort=False)[column]
        return {str(name): part.fillna(np.inf).to_numpy(float) for name, part in groups}

    def differs(self, runs: Runs) -> str:
        """Return why its seconds cannot be compared with those of runs; empty where they can.

        Machine, code and clock have to be the same ones.
        """
        clocks = {entry["rules"].get("clock", "wall") for entry in self.environment["runs"]}
        if clocks != {"wall"}:
            return f"{self.name} counts processor seconds, the sweep those of a clock on the wall"
        commits = {entry["commit"] for entry in self.environment["runs"]}
        for key, theirs in [("commit", commits)] + [
            (key, {str(self.environment.get(key))}) for key in _MACHINE
        ]:
            ours = set(runs.table[key].astype(str)) if key in runs.table else {"unknown"}
            if ours != theirs or len(ours) > 1:
                return f"another {key.replace('_', ' ')}: {_told(theirs)}, here {_told(ours)}"
        dirty = set(runs.table["dirty"].astype(str).str.lower()) if "dirty" in runs.table else set()
        return "" if dirty == {"false"} else "the sweep's code has local changes"


def _told(values: set[str]) -> str:
    return " and ".join(value[:10] if len(value) == 40 else value for value in sorted(values))


def open_archive(name: str) -> Archive:
    """Return an archive: the project's own by :data:`KEPT`, or any by its folder.

    Raises
    ------
    InputError
        If there is none.
    """
    kept = conf_folder().parent / "results" / KEPT / "benchmark"
    folder = kept if name == KEPT else Path(name)
    missing = [file for file in _FILES if not (folder / file).is_file()]
    if missing:
        raise InputError(
            f"--against {name}: {folder / missing[0]} is not there; allowed are {KEPT}, in a copy "
            "of the project, and a folder that benchmark.py wrote"
        )
    return Archive("the reference" if name == KEPT else folder.name, folder)
