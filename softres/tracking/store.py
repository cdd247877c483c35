"""Open a store, find finished runs, start new ones."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from softres.tracking.backend import Backend, StoredRun, connect
from softres.tracking.options import TrackingOptions
from softres.tracking.processes import identity, is_gone
from softres.tracking.run import RunLog, cut
from softres.tracking.view import Chart, shared_views

__all__ = ["FinishedRun", "Store", "open_store"]

_MAX_STALE = 1000
_MAX_SAME = 20
_MAX_RUNS = 50_000


@dataclass(frozen=True)
class FinishedRun:
    """A run that ended FINISHED.

    Parameters
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


def _finished(run: StoredRun) -> FinishedRun:
    return FinishedRun(run.run_id, run.name, run.metrics, run.tags, run.params)


class Store:
    """An experiment in a tracking store.

    Parameters
    ----------
    options
        Where the store is.
    backend
        The connection to it.
    """

    def __init__(self, options: TrackingOptions, backend: Backend) -> None:
        self.options = options
        self._backend = backend

    @property
    def experiment_id(self) -> str:
        """Id of the experiment; empty when tracking is off."""
        return self._backend.experiment_id

    def find_finished(
        self, key: str, enough: Callable[[FinishedRun], bool] = lambda run: True
    ) -> FinishedRun | None:
        """Return the latest finished run whose tag ``key`` is `key` and that is `enough`.

        Parameters
        ----------
        key
            Letters, digits, ``_`` and ``-``.

        Raises
        ------
        ValueError
            If `key` has other characters.
        """
        if not re.fullmatch(r"[\w\-]+", key):
            raise ValueError(f"run key {key!r}: allowed are letters, digits, '_' and '-'")
        query = f"tags.key = '{key}' and attributes.status = 'FINISHED'"
        found = (_finished(run) for run in self._backend.find(query, limit=_MAX_SAME))
        return next((run for run in found if enough(run)), None)

    def finished_runs(self) -> list[FinishedRun]:
        """Return the finished runs of the experiment, the latest first, one for each key.

        Of runs that were forced or extended the latest counts.
        """
        runs: dict[str, FinishedRun] = {}
        for run in self._backend.find("attributes.status = 'FINISHED'", limit=_MAX_RUNS):
            runs.setdefault(run.tags.get("key", run.run_id), _finished(run))
        return list(runs.values())

    def artifact(self, run_id: str, name: str) -> Path:
        """Return a local path of an artifact of a run."""
        return self._backend.file(run_id, name)

    def start_run(
        self, name: str, params: Mapping[str, object], tags: Mapping[str, object]
    ) -> RunLog:
        """Start a run now; use the result as a context manager, which ends it.

        The run is also tagged with the process that owns it and, unless `tags` names another,
        with the sweep of the options.

        Parameters
        ----------
        name
            Name that people read.
        params
            Parameters, recorded once; long values are cut.
        tags
            Tags; long values are cut.
        """
        start = time.time_ns() // 1_000_000
        sweep = {} if self.options.sweep is None else {"sweep": self.options.sweep}
        texts = {k: cut(v, "tag") for k, v in {**sweep, **tags}.items()}
        run_id = self._backend.create_run(name, {**texts, **identity()}, start)
        log = RunLog(self._backend, run_id, name, start)
        try:
            self._backend.log_params(run_id, {k: cut(v, "param") for k, v in params.items()})
        except BaseException as error:
            log.__exit__(type(error), error, error.__traceback__)
            raise
        return log

    def save_charts(
        self, charts: Sequence[Chart] | None = None, group_by: Sequence[str] = ("solver",)
    ) -> None:
        """Save the charts that `charts_link` opens, for all runs and for this sweep.

        Parameters
        ----------
        charts
            Charts in the order in which they are shown; None takes the usual ones.
        group_by
            Parameters whose equal values share a line; none draws a line for each run.
        """
        self._backend.tag_experiment(shared_views(self.options.sweep, charts, group_by))

    def close_stale_runs(self) -> list[str]:
        """End runs whose process on this host has ended without ending them.

        Returns
        -------
        list of str
            Names of the runs, which are now KILLED.
        """
        host = identity()["host"]
        query = f"attributes.status = 'RUNNING' and tags.host = '{host}'"
        closed = []
        for run in self._backend.find(query, limit=_MAX_STALE):
            if is_gone(run.tags):
                text = f"process {run.tags['pid']} on {host} ended without ending this run"
                self._backend.log_tags(run.run_id, {"error": text})
                self._backend.end_run(run.run_id, "KILLED")
                closed.append(run.name)
        return closed


def open_store(options: TrackingOptions) -> Store:
    """Open the store of `options`, created if need be, and end stale runs in it.

    Any number of processes may do so at once. Opening imports MLflow, unless tracking is off.

    Raises
    ------
    InputError
        If the store or the experiment cannot be used.
    """
    store = Store(options, connect(options))
    store.close_stale_runs()
    return store
