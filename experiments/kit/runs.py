"""Finished runs as the judges see them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pandas as pd

from softres.common.text import printable
from softres.tracking import Store, TrackingOptions, open_store

__all__ = ["LoggedRun", "load_runs"]


@dataclass(frozen=True)
class LoggedRun:
    """A finished run.

    Attributes
    ----------
    run_id, name
        What identifies it.
    params, tags
        As logged, all text; nested options have dotted keys (``weights.value``), and a group's
        choice is the group's key (``solver``).
    metrics
        Last value of each.
    artifact
        Returns a local path of an artifact by name.
    """

    run_id: str
    name: str
    params: Mapping[str, str]
    tags: Mapping[str, str]
    metrics: Mapping[str, float]
    artifact: Callable[[str], Path]

    @cached_property
    def table(self) -> pd.DataFrame:
        """The trace of a solve, one row a step; or the table of a measurement."""
        solved = self.tags.get("status") != "measured"
        return pd.read_parquet(self.artifact("trace.parquet" if solved else "measurements.parquet"))

    def number(self, key: str) -> float:
        """Return a parameter as a number."""
        return float(self.params[key])


def load_runs(options: TrackingOptions, profile: str) -> list[LoggedRun]:
    """Return the finished runs of an experiment (``options.experiment``) and profile.

    Of runs with the same configuration the latest counts, and only runs of the latest code of their
    solver or measurement, problem and data set: a verdict is never of two versions.
    """
    store = open_store(options)
    latest: dict[str, LoggedRun] = {}
    codes: dict[tuple[str | None, ...], str | None] = {}
    for run in store.finished_runs():  # the latest first
        if run.params.get("experiment.profile") != profile:
            continue
        code = run.tags.get("code_digest")
        made_of = tuple(run.params.get(group) for group in ("solver", "problem", "data"))
        if codes.setdefault(made_of, code) != code:
            continue
        key = run.tags.get("config_hash", run.run_id)
        latest.setdefault(
            key, _logged(store, run.run_id, run.name, run.params, run.tags, run.metrics)
        )
    return sorted(latest.values(), key=lambda run: run.name)


def _logged(
    store: Store,
    run_id: str,
    name: str,
    params: Mapping[str, str],
    tags: Mapping[str, str],
    metrics: Mapping[str, float],
) -> LoggedRun:
    """Return a run; what a terminal obeys, line breaks among it, is escaped in what is read of it.

    It goes into tables, pages and commands, where a line break would begin something new.
    """
    return LoggedRun(
        run_id,
        printable(name),
        _printable(params),
        _printable(tags),
        metrics,
        lambda file: store.artifact(run_id, file),
    )


def _printable(pairs: Mapping[str, str]) -> dict[str, str]:
    return {key: printable(text) for key, text in pairs.items()}
