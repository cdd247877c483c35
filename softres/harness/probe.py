"""A measurement that is not a solve, run and recorded like one."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from softres.data.seeds import generator
from softres.harness.prepare import Prepared, prepare
from softres.harness.records import keep_setting
from softres.harness.settings import Settings
from softres.tracking import RunLog

__all__ = ["Probe", "ProbeContext", "measure"]


@dataclass
class ProbeContext:
    """What a measurement works with.

    Attributes
    ----------
    settings
        The run's options; its own are in ``settings.experiment``.
    kept
        Arrays to keep with the run, by file name: what a counterexample is made of.
    """

    settings: Settings
    kept: dict[str, dict[str, Any]] = field(default_factory=dict)

    @cached_property
    def prepared(self) -> Prepared:
        """The run's instance with its problem, weights, start and certified minimiser."""
        return prepare(self.settings)

    def rng(self, role: str) -> np.random.Generator:
        """Return random numbers for a role, fixed by the run's seed."""
        return generator(self.settings.seed, role, self.settings.experiment.get("id", ""))

    def keep(self, name: str, **arrays: Any) -> None:
        """Keep arrays as ``<name>.npz`` with the run; a later call replaces an earlier one."""
        self.kept[name] = arrays


@dataclass(frozen=True)
class Probe:
    """A measurement.

    Attributes
    ----------
    measure
        Returns a table, one row a case; its numeric columns of a single row become metrics. A
        run depends on all that its module imports.
    """

    measure: Callable[[ProbeContext], pd.DataFrame]


def measure(settings: Settings, probe: Probe, run: RunLog) -> None:
    """Run a measurement; its table, its arrays and, of a single row, its numbers are recorded."""
    keep_setting(run, settings)
    context = ProbeContext(settings)
    start = time.perf_counter()
    table = probe.measure(context)
    run.table(table, "measurements.parquet")
    for name, arrays in context.kept.items():
        run.arrays(f"{name}.npz", arrays)
    numbers = table.select_dtypes(include="number")
    if len(table) == 1:
        run.metrics({str(key): float(value) for key, value in numbers.iloc[0].items()})
    run.metrics({"measure_seconds": time.perf_counter() - start})
    run.tags({"status": "measured"})
