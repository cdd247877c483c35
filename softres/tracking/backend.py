"""The one module that talks to MLflow."""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, TypeVar

from softres.common.errors import InputError
from softres.common.places import local_file
from softres.tracking.charts.curves import MetricPoint
from softres.tracking.create import create_database
from softres.tracking.durable.outage import (
    AwayError,
    check_server,
    is_outage,
    lasting,
    refusal,
)
from softres.tracking.durable.receipts import Receipts
from softres.tracking.protocol import InputData, StoredRun

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Experiment, Run

    from softres.tracking.options import TrackingOptions

__all__ = ["MlflowBackend", "quiet_mlflow"]

_T = TypeVar("_T")
_MAX_METRICS, _MAX_PARAMS, _MAX_TAGS = 1000, 100, 100


@contextmanager
def quiet_mlflow() -> Iterator[None]:
    """Import MLflow and open a store within this: neither prints, and a server is not waited for.

    What the user has set in the environment stays.
    """
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    # A server that is away is not waited for (four minutes, with the defaults): what it would
    # have got is kept and delivered later.
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR", "1")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "30")
    with warnings.catch_warnings():
        # Of MLflow's and SQLAlchemy's own code, as it is imported and its tables are mapped.
        warnings.simplefilter("ignore", DeprecationWarning)
        yield


class MlflowBackend:
    """An MLflow experiment in an SQLite file or on a server.

    Parameters
    ----------
    options
        Where the store is.
    create
        Whether to create the experiment where it is missing; otherwise there may be none.

    Raises
    ------
    InputError
        If the store or the experiment cannot be used.
    AwayError
        Of that kind, if it may be used later.
    """

    def __init__(self, options: TrackingOptions, *, create: bool = True) -> None:
        with quiet_mlflow():
            if options.database is not None:
                create_database(options.database)
            else:
                check_server(options.absolute_uri)
            from mlflow.exceptions import MlflowException
            from mlflow.tracking import MlflowClient
            from sqlalchemy.exc import SQLAlchemyError

            try:
                self._client = MlflowClient(tracking_uri=options.absolute_uri)
                _say_nothing()
                if options.database is not None:
                    _forget_connections(self._client)
                experiment = self._open_experiment(options) if create else None
            except (MlflowException, SQLAlchemyError, OSError) as error:
                uri = options.absolute_uri
                if stays := refusal(uri, error) or lasting(uri, error):
                    raise stays from None
                kind = AwayError if is_outage(error) else InputError
                reason = str(error).partition("\n")[0]  # SQLAlchemy goes on with its statement
                raise kind(f"tracking.uri={uri}: the store cannot be used: {reason}") from error
        self._options = options
        self._receipts = None if options.database is not None else Receipts(self._client)
        self._downloads: TemporaryDirectory[str] | None = None
        self.experiment_id = "" if experiment is None else str(experiment.experiment_id)
        self._experiment_tags = {} if experiment is None else dict(experiment.tags)

    @property
    def client(self) -> MlflowClient:
        """MLflow's own client of the store, for what reads more than runs need."""
        return self._client

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
        """Create a run that started at Unix time ``start`` in ms; return its id."""
        run = self._client.create_run(
            self.experiment_id, start_time=start, tags=dict(tags), run_name=name
        )
        return str(run.info.run_id)

    def knows(self, run_id: str) -> bool:
        """Whether the store has a run of that id."""
        from mlflow.exceptions import MlflowException

        try:
            self._client.get_run(run_id)
        except MlflowException as error:
            if error.error_code == "RESOURCE_DOES_NOT_EXIST":
                return False
            raise
        return True

    def log_params(self, run_id: str, params: Mapping[str, str]) -> None:
        """Record parameters, once a run."""
        from mlflow.entities import Param

        if self._receipts is not None:
            self._receipts.params(run_id, params)
        for batch in _batches([Param(k, v) for k, v in params.items()], _MAX_PARAMS):
            self._client.log_batch(run_id, params=batch)

    def log_batch(
        self, run_id: str, points: Sequence[MetricPoint], tags: Mapping[str, str]
    ) -> None:
        """Record values of metrics and set tags."""
        from mlflow.entities import Metric, RunTag

        if self._receipts is not None:
            self._receipts.batch(run_id, points, tags)
        metrics = [Metric(p.name, p.value, p.timestamp, p.step) for p in points]
        pairs = [RunTag(k, v) for k, v in tags.items()]
        if len(metrics) + len(pairs) <= _MAX_METRICS and len(pairs) <= _MAX_TAGS:
            if metrics or pairs:
                self._client.log_batch(run_id, metrics=metrics, tags=pairs)
            return
        for batch in _batches(metrics, _MAX_METRICS):
            self._client.log_batch(run_id, metrics=batch)
        for some in _batches(pairs, _MAX_TAGS):
            self._client.log_batch(run_id, tags=some)

    def log_input(self, run_id: str, data: InputData) -> None:
        """Name data that a run works on."""
        from mlflow.entities import Dataset, DatasetInput

        found = Dataset(data.name, data.digest, "softres", data.source, profile=data.profile)
        self._client.log_inputs(run_id, [DatasetInput(found)])

    def log_file(self, run_id: str, path: Path) -> None:
        """Copy a file to the artifacts of a run."""
        if self._receipts is not None:
            self._receipts.file(run_id, path)
        self._client.log_artifact(run_id, str(path))

    def end_run(self, run_id: str, status: str, end: int | None = None) -> None:
        """End a run as FINISHED, FAILED or KILLED, at Unix time ``end`` in ms or now.

        Raises
        ------
        AwayError
            If a server has not kept what the run sent; it is not ended then.
        """
        if self._receipts is not None:
            self._receipts.check(run_id, finished=status == "FINISHED")
        self._client.set_terminated(run_id, status, end)

    def tag_finished(self, run_id: str, tags: Mapping[str, str]) -> None:
        """Set tags of a run that has ended."""
        self.log_batch(run_id, (), tags)

    def add_file(self, run_id: str, path: Path) -> None:
        """Copy a file to the artifacts of a run that has ended."""
        self.log_file(run_id, path)

    def watch(self, run_id: str) -> Callable[[], None]:
        """Record the machine's load with a run, if MLflow's switch is on; return what ends that."""
        from mlflow.environment_variables import MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING

        switch: Any = MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING  # MLflow does not type it
        if not switch.get():
            return lambda: None
        from mlflow.system_metrics.system_metrics_monitor import SystemMetricsMonitor

        kind: Any = SystemMetricsMonitor
        monitor = kind(run_id, tracking_uri=self._client.tracking_uri)
        monitor.start()
        finish: Callable[[], None] = monitor.finish
        return finish

    def find(self, query: str, limit: int) -> list[StoredRun]:
        """Return the latest runs that match a search filter."""
        runs = self._client.search_runs(
            [self.experiment_id],
            query,
            max_results=limit,
            order_by=["attributes.start_time DESC"],
        )
        return [_stored(run) for run in runs]

    def with_id(self, start: str) -> list[StoredRun]:
        """Return the runs, of any experiment, whose id starts so."""
        experiments = [found.experiment_id for found in self._client.search_experiments()]
        query = f"attributes.run_id LIKE '{start}%'"
        return [_stored(run) for run in self._client.search_runs(experiments, query)]

    def file(self, run_id: str, name: str) -> Path:
        """Return a local path of an artifact of a run.

        A server's is downloaded, once, into a folder that is there as long as this connection. A
        store that was moved has its files beside it.

        Raises
        ------
        FileNotFoundError
            If it is not there.
        PermissionError
            If the store names another host for it: nothing is fetched from there.
        """
        place = str(self._client.get_run(run_id).info.artifact_uri)
        options = self._options
        store = options.database or options.absolute_uri
        found = local_file(place, run_id, name, Path(options.folder), store)
        if found is not None:
            return found
        if self._downloads is None:
            self._downloads = TemporaryDirectory(prefix="softres-")
        own = Path(self._downloads.name) / run_id
        own.mkdir(exist_ok=True)
        return Path(self._client.download_artifacts(run_id, name, str(own)))

    def tag_experiment(self, tags: Mapping[str, str]) -> None:
        """Set tags of the experiment; a tag that is already there costs nothing."""
        for key, value in tags.items():
            if self._experiment_tags.get(key) != value:
                self._client.set_experiment_tag(self.experiment_id, key, value)
                self._experiment_tags[key] = value


def _say_nothing() -> None:
    """Keep MLflow from logging each error of a database with a traceback: it is raised as well."""
    logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)


def _forget_connections(client: MlflowClient) -> None:
    """Let a client open its file anew: MLflow keeps connections, even to deleted files."""
    engine = getattr(getattr(client, "_tracking_client", None), "store", None)
    engine = getattr(engine, "engine", None)
    if engine is not None:
        engine.dispose()


def _stored(run: Run) -> StoredRun:
    data = run.data
    name = run.info.run_name or ""
    return StoredRun(run.info.run_id, name, dict(data.metrics), dict(data.tags), dict(data.params))


def _batches(items: Sequence[_T], size: int) -> Iterable[list[_T]]:
    return (list(items[i : i + size]) for i in range(0, len(items), size))
