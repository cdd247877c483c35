"""A run that has ended well, as what comes after it needs it."""

from __future__ import annotations

from dataclasses import dataclass

from softres.tracking.protocol import StoredRun

__all__ = ["FinishedRun", "finished"]


@dataclass(frozen=True)
class FinishedRun:
    """A run that ended FINISHED.

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


def finished(run: StoredRun) -> FinishedRun:
    """Return a stored run as one that ended FINISHED."""
    return FinishedRun(run.run_id, run.name, run.metrics, run.tags, run.params)
