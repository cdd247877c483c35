"""The kept results, as README's figures are made from them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from experiments.report.runner import ROOT

__all__ = ["REFERENCE", "ReferenceResults"]

#: Where a complete run is kept.
REFERENCE = ROOT / "results" / "reference"
_TEXTS = ("measured", "bound", "sees", "reason")


@dataclass(frozen=True)
class ReferenceResults:
    """A folder with a report, one of real data, a race and the prices of steps.

    Attributes
    ----------
    folder
        Where they are.
    """

    folder: Path = REFERENCE

    @cached_property
    def verdicts(self) -> pd.DataFrame:
        """The verdicts of the report, without those on real data."""
        table = self._verdicts(self.folder)
        return table[table["claim"] != "large_data"]

    @cached_property
    def real_verdicts(self) -> pd.DataFrame:
        """The verdicts on real data: of a report of their own, or of the whole one."""
        apart = self._real != self.folder
        table = self._verdicts(self._real)
        return table if apart else table[table["claim"] == "large_data"]

    @cached_property
    def about(self) -> dict[str, Any]:
        """What the report says of itself: counts, commits, packages, headlines."""
        return self._about(self.folder)

    @cached_property
    def headlines(self) -> Mapping[str, str]:
        """The claims' own sentences."""
        both = self._about(self._real), self.about
        return {name: text for one in both for name, text in one["headlines"].items()}

    @cached_property
    def medians(self) -> pd.DataFrame:
        """The race's medians: :func:`experiments.race.profile.medians`."""
        return pd.read_csv(self.folder / "benchmark" / "medians.csv")

    @cached_property
    def races(self) -> dict[str, Any]:
        """How the race was run."""
        path = self.folder / "benchmark" / "environment.json"
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return found

    @cached_property
    def step_cost(self) -> pd.DataFrame:
        """What steps cost: :func:`experiments.race.steps.cost.summary`."""
        return pd.read_csv(self.folder / "step_cost" / "step_cost.csv")

    @cached_property
    def exponents(self) -> pd.DataFrame:
        """How that grows: :func:`experiments.race.steps.cost.exponents`."""
        return pd.read_csv(self.folder / "step_cost" / "step_cost_exponents.csv")

    @property
    def _real(self) -> Path:
        apart = self.folder / "large_data"
        return apart if (apart / "verdicts.csv").is_file() else self.folder

    @property
    def real_report(self) -> str:
        """The report on real data, from the project's root."""
        return f"{self._real.relative_to(self.folder.parents[1])}/report.md"

    @staticmethod
    def _verdicts(folder: Path) -> pd.DataFrame:
        table = pd.read_csv(folder / "verdicts.csv", dtype=dict.fromkeys(_TEXTS, str))
        return table.fillna(dict.fromkeys(_TEXTS, ""))

    @staticmethod
    def _about(folder: Path) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((folder / "report.json").read_text(encoding="utf-8"))
        return found
