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

__all__ = ["COLUMNS", "Store"]

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
}
#: Marks of a trajectory that are kept, spread evenly over its length.
KEPT = 300
_PACKAGES = ("jax", "jaxlib", "optax", "optimistix", "pytorch-minimize", "threadpoolctl")


class Store:
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
        """Return all rows; seconds, passes and grams are missing where a level was not reached."""
        if not self._path.is_file():
            return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in COLUMNS.items()})
        table = pd.read_csv(self._path, dtype=COLUMNS)
        # A race that was ended within a line leaves it incomplete.
        return table.dropna(subset=["instance", "contestant", "repeat", "level"])

    def add(self, rows: Sequence[dict[str, object]]) -> None:
        """Append rows."""
        new = not self._path.is_file()
        table = pd.DataFrame(rows, columns=list(COLUMNS))
        table.to_csv(self._path, mode="a", header=new, index=False)
        self._raced |= set(table["instance"])

    def drop(self, instance: str, contestants: Iterable[str]) -> None:
        """Forget an instance's rows of some contestants."""
        rows = self.rows()
        gone = (rows.instance == instance) & rows.contestant.isin(list(contestants))
        if gone.any():
            rows[~gone].to_csv(self._path, index=False)

    def keep_trajectory(self, instance: str, contestant: str, marks: Sequence[Mark]) -> None:
        """Write a run's marks, thinned."""
        folder = self.folder / "trajectories"
        folder.mkdir(exist_ok=True)
        stride = max(1, -(-len(marks) // KEPT))
        kept = [*marks[:-1:stride], *marks[-1:]]
        table = pd.DataFrame([vars(mark) for mark in kept], columns=list(Mark.__annotations__))
        table.to_csv(folder / f"{_slug(instance)}__{contestant}.csv", index=False)

    def trajectory(self, instance: str, contestant: str) -> pd.DataFrame | None:
        """Return a run's marks; ``None`` where there are none."""
        path = self.folder / "trajectories" / f"{_slug(instance)}__{contestant}.csv"
        return pd.read_csv(path) if path.is_file() else None

    def describe(self, rules: Mapping[str, object], arguments: Mapping[str, object]) -> None:
        """Write to environment.json what this store's new rows were made with.

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
