"""Whether a server has kept what it said it took: a proxy may answer 200 for it, with a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from softres.tracking.charts.curves import MetricPoint
from softres.tracking.durable.outage import AwayError

if TYPE_CHECKING:
    from mlflow import MlflowClient

__all__ = ["Receipts"]


@dataclass
class _Sent:
    """Names of what was sent of a run, files with their sizes in bytes."""

    params: set[str] = field(default_factory=set)
    metrics: set[str] = field(default_factory=set)
    tags: set[str] = field(default_factory=set)
    files: dict[str, int] = field(default_factory=dict)


class Receipts:
    """Keeps what is sent of the runs under way, and asks for it before one is called finished.

    That is two requests a run.

    Parameters
    ----------
    client
        MLflow's client of the server.
    """

    def __init__(self, client: MlflowClient) -> None:
        self._client = client
        self._sent: dict[str, _Sent] = {}

    def params(self, run_id: str, params: Mapping[str, str]) -> None:
        """Note parameters."""
        self._of(run_id).params |= params.keys()

    def batch(self, run_id: str, points: Sequence[MetricPoint], tags: Mapping[str, str]) -> None:
        """Note values of metrics, and tags."""
        sent = self._of(run_id)
        sent.metrics |= {point.name for point in points}
        sent.tags |= tags.keys()

    def file(self, run_id: str, path: Path) -> None:
        """Note an artifact."""
        self._of(run_id).files[path.name] = path.stat().st_size

    def check(self, run_id: str, *, finished: bool) -> None:
        """Forget a run that ends; ask for all of it first if it is to be finished.

        Raises
        ------
        AwayError
            If something is missing; names it.
        """
        sent = self._sent.pop(run_id, None)
        if sent is None or not finished:
            return
        there = self._client.get_run(run_id).data
        missing = sorted(
            (sent.params - there.params.keys())
            | (sent.metrics - there.metrics.keys())
            | (sent.tags - there.tags.keys())
        )
        if sent.files:
            found = {info.path: info.file_size for info in self._client.list_artifacts(run_id)}
            missing += [
                name
                for name, size in sent.files.items()
                # Not every store of artifacts tells sizes.
                if name not in found or found[name] not in (None, size)
            ]
        if missing:
            names = ", ".join(missing[:3]) + (", ..." if len(missing) > 3 else "")
            raise AwayError(f"it has not kept {names} of run {run_id[:8]}, which it took")

    def _of(self, run_id: str) -> _Sent:
        return self._sent.setdefault(run_id, _Sent())
