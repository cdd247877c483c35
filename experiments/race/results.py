"""Where the race's results are kept: rows of one CSV file, so that a race can be taken up again."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pandas as pd

from experiments.race.recorder import Mark
from softres.common.errors import InputError

__all__ = ["COLUMNS", "RaceResults"]

#: Columns of the results: one row per instance, contestant, repeat and level.
COLUMNS = {
    "instance": "str",
    "kind": "str",
    "n": "int64",
    "d": "int64",
    "contestant": "str",
    "side": "str",
    "repeat": "int64",
    "level": "float64",
    "seconds": "float64",
    "cpu_seconds": "float64",
    "passes": "float64",
    "grams": "float64",
    "status": "str",
    "best_error": "float64",
    "steps": "int64",
    "prepare_seconds": "float64",
    "total_seconds": "float64",
    "total_cpu_seconds": "float64",
    "code": "str",
}
#: Marks of a trajectory that are kept, spread evenly over its length.
KEPT_MARKS = 300
_PACKAGES = ("jax", "jaxlib", "optax", "optimistix", "pytorch-minimize", "threadpoolctl")


class RaceResults:
    """The results in a folder.

    Parameters
    ----------
    folder
        Is made where there is none.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._path = folder / "race.csv"
        self._raced: set[str] = set()
        folder.mkdir(parents=True, exist_ok=True)

    def rows(self) -> pd.DataFrame:
        """Return all rows; seconds, passes and grams are missing where a level was not reached.

        Raises
        ------
        InputError
            If they do not say of what code they are, as those of older versions.
        """
        if not self._path.is_file():
            return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in COLUMNS.items()})
        table = pd.read_csv(self._path, dtype=COLUMNS)
        if "code" not in table:
            raise InputError(
                f"{self._path}: its rows do not say of what code they are; race again into another "
                "folder (--out), or remove the file"
            )
        # A race that was ended within a line leaves it incomplete.
        return table.dropna(subset=["instance", "contestant", "repeat", "level", "code"])

    def add(self, rows: Sequence[dict[str, object]]) -> None:
        """Append rows."""
        new = not self._path.is_file()
        table = pd.DataFrame(rows, columns=list(COLUMNS))
        table.to_csv(self._path, mode="a", header=new, index=False)
        self._raced |= set(table["instance"])

    def drop(self, instance: str, contestants: Iterable[str]) -> None:
        """Forget an instance's rows and trajectories of some contestants."""
        rows, names = self.rows(), list(contestants)
        gone = (rows.instance == instance) & rows.contestant.isin(names)
        if gone.any():
            rows[~gone].to_csv(self._path, index=False)
        for name in names:
            self._trajectory(instance, name).unlink(missing_ok=True)

    def keep_trajectory(self, instance: str, contestant: str, marks: Sequence[Mark]) -> None:
        """Write a run's marks, thinned."""
        path = self._trajectory(instance, contestant)
        path.parent.mkdir(exist_ok=True)
        stride = max(1, -(-len(marks) // KEPT_MARKS))
        kept = [*marks[:-1:stride], *marks[-1:]]
        table = pd.DataFrame([vars(mark) for mark in kept], columns=list(Mark.__annotations__))
        table.to_csv(path, index=False)

    def trajectory(self, instance: str, contestant: str) -> pd.DataFrame | None:
        """Return a run's marks; ``None`` where there are none."""
        path = self._trajectory(instance, contestant)
        return pd.read_csv(path) if path.is_file() else None

    def _trajectory(self, instance: str, contestant: str) -> Path:
        return self.folder / "trajectories" / f"{_slug(instance)}__{contestant}.csv"

    def describe(self, rules: Mapping[str, object], arguments: Mapping[str, object]) -> None:
        """Write to environment.json what the new rows were made with.

        Machine, packages and threads are those of the last race. ``runs`` has an entry for every
        race that added rows: date, commit, settings and how many instances it ran. Without new
        rows the file stays as it is.
        """
        if not self._raced:
            return
        from softres.tracking.environment import environment  # its package loads MLflow

        machine = environment()
        run = {
            "date": datetime.now(UTC).isoformat(timespec="seconds"),
            "commit": machine["commit"],
            "dirty": machine["dirty"],
            "rules": dict(rules),
            "arguments": dict(arguments),
            "instances": len(self._raced),
        }
        path = self.folder / "environment.json"
        packages = {name: _version(name) for name in _PACKAGES}
        text = json.dumps(machine | packages | {"runs": [*_runs(path), run]}, indent=2)
        # Under another name first: half a file would lose the runs before.
        part = path.with_suffix(".part")
        part.write_text(text + "\n", encoding="utf-8")
        part.replace(path)


def _runs(path: Path) -> list[object]:
    """Return the races that a file lists; none if it lists none or cannot be read."""
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    runs = kept.get("runs") if isinstance(kept, dict) else None
    return runs if isinstance(runs, list) else []


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "missing"


def _slug(instance: str) -> str:
    return re.sub(r"[^A-Za-z0-9.=-]+", "_", instance)
