"""What runs need of a store, and a store that records nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from softres.tracking.charts.curves import MetricPoint

__all__ = ["Backend", "InputData", "NullBackend", "StoredRun"]


@dataclass(frozen=True)
class InputData:
    """Data that a run worked on.

    Attributes
    ----------
    name, digest
        What identifies the data, to people and by content; a digest has up to 36 characters.
    source, profile
        Where the data comes from, and its size and the like: JSON.
    """

    name: str
    digest: str
    source: str = "{}"
    profile: str = "{}"


@dataclass(frozen=True)
class StoredRun:
    """A run as the store has it.

    Attributes
    ----------
    run_id, name
        What identifies the run, to MLflow and to people.
    metrics
        Last value of each metric.
    tags, params
        Tags and parameters of the run.
    """

    run_id: str
    name: str
    metrics: dict[str, float]
    tags: dict[str, str]
    params: dict[str, str]


class Backend(Protocol):
    """What runs need of a store."""

    @property
    def experiment_id(self) -> str:
        """Id of the experiment; empty where there is none."""

    def create_run(self, name: str, tags: Mapping[str, str], start: int) -> str:
        """Create a run that started at Unix time ``start`` in ms; return its id."""

    def knows(self, run_id: str) -> bool:
        """Whether the store has a run of that id."""
        ...

    def log_params(self, run_id: str, params: Mapping[str, str]) -> None:
        """Record parameters, once a run."""

    def log_batch(
        self, run_id: str, points: Sequence[MetricPoint], tags: Mapping[str, str]
    ) -> None:
        """Record values of metrics and set tags."""

    def log_input(self, run_id: str, data: InputData) -> None:
        """Name data that a run works on."""

    def log_file(self, run_id: str, path: Path) -> None:
        """Copy a file to the artifacts of a run."""

    def end_run(self, run_id: str, status: str, end: int | None = None) -> None:
        """End a run as FINISHED, FAILED or KILLED, at Unix time ``end`` in ms or now."""

    def tag_finished(self, run_id: str, tags: Mapping[str, str]) -> None:
        """Set tags of a run that has ended."""

    def add_file(self, run_id: str, path: Path) -> None:
        """Copy a file to the artifacts of a run that has ended."""

    def find(self, query: str, limit: int) -> list[StoredRun]:
        """Return the latest runs that match a search filter."""

    def file(self, run_id: str, name: str) -> Path:
        """Return a local path of an artifact of a run."""
        ...

    def tag_experiment(self, tags: Mapping[str, str]) -> None:
        """Set tags of the experiment."""


class NullBackend:
    """Records nothing and finds nothing; does not import MLflow."""

    experiment_id = ""

    def create_run(self, name: str, tags: Mapping[str, str], start: int) -> str:
        """Return an empty id."""
        return ""

    def knows(self, run_id: str) -> bool:
        """Return that it has none."""
        return False

    def log_params(self, run_id: str, params: Mapping[str, str]) -> None:
        """Do nothing."""

    def log_batch(
        self, run_id: str, points: Sequence[MetricPoint], tags: Mapping[str, str]
    ) -> None:
        """Do nothing."""

    def log_input(self, run_id: str, data: InputData) -> None:
        """Do nothing."""

    def log_file(self, run_id: str, path: Path) -> None:
        """Do nothing."""

    def end_run(self, run_id: str, status: str, end: int | None = None) -> None:
        """Do nothing."""

    def tag_finished(self, run_id: str, tags: Mapping[str, str]) -> None:
        """Do nothing."""

    def add_file(self, run_id: str, path: Path) -> None:
        """Do nothing."""

    def find(self, query: str, limit: int) -> list[StoredRun]:
        """Return no run."""
        return []

    def file(self, run_id: str, name: str) -> Path:
        """Nothing is recorded, so there is no file."""
        raise FileNotFoundError(name)

    def tag_experiment(self, tags: Mapping[str, str]) -> None:
        """Do nothing."""
