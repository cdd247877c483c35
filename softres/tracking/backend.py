"""The one module that talks to MLflow, and its silent double for untracked runs."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar
from urllib.error import HTTPError
from urllib.request import urlopen

from softres.errors import InputError
from softres.tracking.create import create_database
from softres.tracking.curves import Point

if TYPE_CHECKING:
    from mlflow.entities import Experiment

    from softres.tracking.options import TrackingOptions

__all__ = ["Backend", "MlflowBackend", "NullBackend", "StoredRun", "connect"]

_T = TypeVar("_T")
_SERVER_TIMEOUT = 10.0  # s
_MAX_METRICS, _MAX_PARAMS, _MAX_TAGS = 1000, 100, 100


@dataclass(frozen=True)
class StoredRun:
    """A run as the store has it: id, name, last value of each metric, tags, parameters."""

    run_id: str
    name: str
    metrics: dict[str, float]
    tags: dict[str, str]
    params: dict[str, str]


class Backend(Protocol):
    """What runs need of a store."""

    experiment_id: str

    def create_run(self, name: str, tags: Mapping[str, str], start: int) -> str:
        """Create a run that started at Unix time `start` in ms; return its id."""

    def log_params(self, run_id: str, params: Mapping[str, str]) -> None:
        """Record parameters, once a run."""

    def log_tags(self, run_id: str, tags: Mapping[str, str]) -> None:
        """Set tags of a run."""

    def log_points(self, run_id: str, points: Sequence[Point]) -> None:
        """Record values of metrics."""

    def log_file(self, run_id: str, path: Path) -> None:
        """Copy a file to the artifacts of a run."""

    def end_run(self, run_id: str, status: str) -> None:
        """End a run now, as FINISHED, FAILED or KILLED."""

    def find(self, query: str, limit: int) -> list[StoredRun]:
        """Return the latest runs that match a search filter."""

    def file(self, run_id: str, name: str) -> Path:
        """Return a local path of an artifact of a run."""
        ...

    def tag_experiment(self, tags: Mapping[str, str]) -> None:
        """Set tags of the experiment."""


def connect(options: TrackingOptions) -> Backend:
    """Return the store of `options`, created if need be.

    Raises
    ------
    InputError
        If the store or the experiment cannot be used.
    """
    return MlflowBackend(options) if options.enabled else NullBackend()


class NullBackend:
    """Records nothing and finds nothing; does not import MLflow."""

    experiment_id = ""

    def create_run(self, name: str, tags: Mapping[str, str], start: int) -> str:
        """Return an empty id."""
        return ""

    def log_params(self, run_id: str, params: Mapping[str, str]) -> None:
        """Do nothing."""

    def log_tags(self, run_id: str, tags: Mapping[str, str]) -> None:
        """Do nothing."""

    def log_points(self, run_id: str, points: Sequence[Point]) -> None:
        """Do nothing."""

    def log_file(self, run_id: str, path: Path) -> None:
        """Do nothing."""

    def end_run(self, run_id: str, status: str) -> None:
        """Do nothing."""

    def find(self, query: str, limit: int) -> list[StoredRun]:
        """Return no run."""
        return []

    def file(self, run_id: str, name: str) -> Path:
        """Nothing is recorded, so there is no file."""
        raise FileNotFoundError(name)

    def tag_experiment(self, tags: Mapping[str, str]) -> None:
        """Do nothing."""


class MlflowBackend:
    """An MLflow experiment in an SQLite file or on a server."""

    def __init__(self, options: TrackingOptions) -> None:
        # MLflow reads these while it is imported; what the user has set stays.
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
        os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
        os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
        with warnings.catch_warnings():
            # Of MLflow's and SQLAlchemy's own code, as it is imported and its tables are mapped.
            warnings.simplefilter("ignore", DeprecationWarning)
            if options.database is not None:
                create_database(options.database)
            else:
                _check_server(options.absolute_uri)
            from mlflow.exceptions import MlflowException
            from mlflow.tracking import MlflowClient
            from sqlalchemy.exc import SQLAlchemyError

            try:
                self._client = MlflowClient(tracking_uri=options.absolute_uri)
                experiment = self._open_experiment(options)
            except (MlflowException, SQLAlchemyError) as error:
                raise InputError(
                    f"tracking.uri={options.absolute_uri}: the store cannot be used: {error}"
                ) from error
        self.experiment_id: str = experiment.experiment_id
        self._experiment_tags: dict[str, str] = dict(experiment.tags)

    def _open_experiment(self, options: TrackingOptions) -> Experiment:
        from mlflow.exceptions import MlflowException

        name = options.experiment
        experiment = self._client.get_experiment_by_name(name)
        if experiment is None:
            try:
                self._client.create_experiment(name, artifact_location=options.artifact_location)
            except MlflowException as error:
                # Another process may have been quicker; anything else is an error.
                if error.error_code != "RESOURCE_ALREADY_EXISTS":
                    raise
            experiment = self._client.get_experiment_by_name(name)
        if experiment is None or experiment.lifecycle_stage != "active":
            raise InputError(
                f"tracking.experiment={name!r}: it was deleted in this store; choose another "
                "name, or bring it back with 'mlflow experiments restore'"
            )
        return experiment

    def create_run(self, name: str, tags: Mapping[str, str], start: int) -> str:
        """Create a run that started at Unix time `start` in ms; return its id."""
        run = self._client.create_run(
            self.experiment_id, start_time=start, tags=dict(tags), run_name=name
        )
        return str(run.info.run_id)

    def log_params(self, run_id: str, params: Mapping[str, str]) -> None:
        """Record parameters, once a run."""
        from mlflow.entities import Param

        for batch in _batches([Param(k, v) for k, v in params.items()], _MAX_PARAMS):
            self._client.log_batch(run_id, params=batch)

    def log_tags(self, run_id: str, tags: Mapping[str, str]) -> None:
        """Set tags of a run."""
        from mlflow.entities import RunTag

        for batch in _batches([RunTag(k, v) for k, v in tags.items()], _MAX_TAGS):
            self._client.log_batch(run_id, tags=batch)

    def log_points(self, run_id: str, points: Sequence[Point]) -> None:
        """Record values of metrics."""
        from mlflow.entities import Metric

        metrics = [Metric(p.name, p.value, p.timestamp, p.step) for p in points]
        for batch in _batches(metrics, _MAX_METRICS):
            self._client.log_batch(run_id, metrics=batch)

    def log_file(self, run_id: str, path: Path) -> None:
        """Copy a file to the artifacts of a run."""
        self._client.log_artifact(run_id, str(path))

    def end_run(self, run_id: str, status: str) -> None:
        """End a run now, as FINISHED, FAILED or KILLED."""
        self._client.set_terminated(run_id, status)

    def find(self, query: str, limit: int) -> list[StoredRun]:
        """Return the latest runs that match a search filter."""
        runs = self._client.search_runs(
            [self.experiment_id],
            query,
            max_results=limit,
            order_by=["attributes.start_time DESC"],
        )
        return [
            StoredRun(
                r.info.run_id,
                r.info.run_name or "",
                dict(r.data.metrics),
                dict(r.data.tags),
                dict(r.data.params),
            )
            for r in runs
        ]

    def file(self, run_id: str, name: str) -> Path:
        """Return a local path of an artifact of a run; a server's is downloaded."""
        return Path(self._client.download_artifacts(run_id, name))

    def tag_experiment(self, tags: Mapping[str, str]) -> None:
        """Set tags of the experiment; a tag that is already there costs nothing."""
        for key, value in tags.items():
            if self._experiment_tags.get(key) != value:
                self._client.set_experiment_tag(self.experiment_id, key, value)
                self._experiment_tags[key] = value


def _check_server(uri: str) -> None:
    # MLflow itself asks an absent server again and again for four minutes.
    try:
        urlopen(f"{uri}/health", timeout=_SERVER_TIMEOUT).close()
    except HTTPError:
        pass  # somebody answers, if only to ask for a password
    except (OSError, HTTPException) as error:
        raise InputError(f"tracking.uri={uri}: no server answers: {error}") from error


def _batches(items: Sequence[_T], size: int) -> Iterable[list[_T]]:
    return (list(items[i : i + size]) for i in range(0, len(items), size))
