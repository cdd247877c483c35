"""A measurement that is not a solve, run and recorded like one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from softres.config.settings import Settings
from softres.data.seeds import generator
from softres.harness.prepare import Prepared, prepare

__all__ = ["Probe", "ProbeContext"]


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
        Returns a table, one row a case; its numeric columns of a single row become metrics.
    files
        The source files that the result depends on besides the library's.
    """

    measure: Callable[[ProbeContext], pd.DataFrame]
    files: Sequence[Path]
