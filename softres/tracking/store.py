"""Open a store, find finished runs, start new ones."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from errno import EACCES
from pathlib import Path
from typing import TYPE_CHECKING

from softres.common.errors import InputError
from softres.tracking.bulk import every_finished, finished_at_once, tag_at_once
from softres.tracking.charts.view import Chart, shared_views
from softres.tracking.durable.processes import identity, is_gone
from softres.tracking.durable.spool import Spool
from softres.tracking.durable.waiting import WaitingRun
from softres.tracking.environment import source_tags
from softres.tracking.options import TrackingOptions, inode_of
from softres.tracking.protocol import Backend, NullBackend, StoredRun
from softres.tracking.run import RunLog
from softres.tracking.sweeps import in_sweep

if TYPE_CHECKING:
    from softres.tracking.durable.spooling import SpoolingBackend

__all__ = ["Store", "lost_stores", "open_store"]

_MAX_STALE = 1000
_MAX_SAME = 20
_MAX_RUNS = 50_000


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

    def find_finished(self, key: str) -> list[StoredRun]:
        """Return the finished runs of a key, the latest first.

        Where the store has none, those that wait for it count.

        Parameters
        ----------
        key
            The value of their tag ``key``: letters, digits, ``_`` and ``-``.

        Raises
        ------
        ValueError
            If ``key`` has other characters.
        """
        if not re.fullmatch(r"[\w\-]+", key):
            raise ValueError(f"run key {key!r}: allowed are letters, digits, '_' and '-'")
        at_once = self._at_once([key])
        if at_once is None:
            query = f"tags.key = '{key}' and attributes.status = 'FINISHED'"
            found = self._backend.find(query, limit=_MAX_SAME)
        else:
            found = at_once.get(key, [])
        if not found:
            found = [run.as_stored() for run in self._waiting() if run.is_finished(key)]
        return found

    def find_all_finished(self, keys: Iterable[str]) -> dict[str, list[StoredRun]]:
        """Return the finished runs of many keys, found at once, where a store can do that.

        Keys that are missing may still have runs: :meth:`find_finished` knows.
        """
        return self._at_once(keys) or {}

    def _at_once(self, keys: Iterable[str]) -> dict[str, list[StoredRun]] | None:
        path = self.options.database
        if path is None or not self.experiment_id:
            return None
        return finished_at_once(path, self.experiment_id, keys)

    def finished_runs(self, *, all_of_a_key: bool = False) -> list[StoredRun]:
        """Return the finished runs of the experiment, the latest first, one for each key.

        Parameters
        ----------
        all_of_a_key
            Whether to return all of a key, and not the latest only where a run was forced or
            extended.
        """
        runs: dict[str, StoredRun] = {}
        path, found = self.options.database, None
        if path is not None and self.experiment_id:
            found = every_finished(path, self.experiment_id)
        if found is None:
            found = self._backend.find("attributes.status = 'FINISHED'", limit=_MAX_RUNS)
        for run in found:
            key = run.run_id if all_of_a_key else run.tags.get("key", run.run_id)
            runs.setdefault(key, run)
        return list(runs.values())

    def artifact(self, run_id: str, name: str) -> Path:
        """Return a local path of an artifact of a run."""
        return self._backend.file(run_id, name)

    def start_run(
        self, name: str, params: Mapping[str, object], tags: Mapping[str, object]
    ) -> RunLog:
        """Return a run; as a context manager it starts with its block and ends with it.

        The run is also tagged with the process that owns it and with the sweep of the options:
        ``sweep`` is the one that ran it, further ones join by :meth:`join_sweep`.

        Parameters
        ----------
        name
            Name that people read.
        params
            Parameters, recorded once; long values are cut.
        tags
            Tags; long values are cut.
        """
        sweep = self.options.sweep
        first = {} if sweep is None else {"sweep": sweep, **in_sweep(sweep)}
        return RunLog(self._backend, name, params, {**source_tags(), **first, **tags, **identity()})

    def join_sweep(self, run: StoredRun) -> None:
        """Let a finished run belong to the sweep of the options too, which need not run it again.

        A run that waits for a store gets the tag where it waits; a store that went away in the
        meantime goes without.
        """
        tags = in_sweep(self.options.sweep)
        if tags.items() <= run.tags.items():
            return
        if not self._spool().tag_finished(run.tags.get("key", ""), tags):
            self._backend.tag_finished(run.run_id, tags)

    def join_sweep_at_once(self, runs: Iterable[StoredRun]) -> None:
        """Let many finished runs that the store has belong to the sweep of the options too."""
        tags, path = in_sweep(self.options.sweep), self.options.database
        new = [run for run in runs if not tags.items() <= run.tags.items()]
        if path is None or not tag_at_once(path, [run.run_id for run in new], tags):
            for run in new:
                self.join_sweep(run)

    def add_file(self, run_id: str, path: Path, tags: Mapping[str, str]) -> None:
        """Add a file, and tags that tell of it, to a run that has ended.

        A store that went away in the meantime goes without.
        """
        self._backend.add_file(run_id, path)
        self._backend.tag_finished(run_id, tags)

    def save_charts(
        self, charts: Sequence[Chart] | None = None, group_by: Sequence[str] = ("solver",)
    ) -> None:
        """Save the charts that the link opens, for all runs and for this sweep.

        The link is that of :func:`softres.tracking.charts_link`.

        Parameters
        ----------
        charts
            Charts in the order in which they are shown; ``None`` takes the usual ones. Where there
            are none, those of every metric are.
        group_by
            Parameters whose equal values share a line; none draws a line for each run.
        """
        self._backend.tag_experiment(shared_views(self.options.sweep, charts, group_by))

    def close_stale_runs(self) -> list[str]:
        """End runs whose process on this host has ended without ending them.

        Returns
        -------
        Names of the runs, which are now KILLED.
        """
        host = identity()["host"]
        waiting = {run.run_id for run in self._waiting()}
        query = f"attributes.status = 'RUNNING' and tags.host = '{host}'"
        closed = []
        for run in self._backend.find(query, limit=_MAX_STALE):
            if run.run_id not in waiting and is_gone(run.tags):
                text = f"process {run.tags['pid']} on {host} ended without ending this run"
                self._backend.log_batch(run.run_id, (), {"error": text})
                self._backend.end_run(run.run_id, "KILLED")
                closed.append(run.name)
        return closed

    def waiting_runs(self) -> int:
        """Return how many runs wait on this machine for the store to come back."""
        return len(self._waiting())

    def set_aside(self) -> int:
        """Return how many runs were set aside on this machine: damaged, or refused by a store."""
        return len(self._spool().aside()) if self.options.enabled else 0

    def _waiting(self) -> list[WaitingRun]:
        return self._spool().runs() if self.options.enabled else []

    def _spool(self) -> Spool:
        return Spool.of(self.options)


def open_store(options: TrackingOptions, *, patient: bool = False) -> Store:
    """Open the store of the options, created if need be, and end stale runs in it.

    Any number of processes may do so at once. Opening imports MLflow, unless tracking is off. What
    had to wait for the store is delivered first.

    Parameters
    ----------
    options
        Where the store is.
    patient
        Whether to go on without a store that is away: what it cannot take waits in a spool. A
        process keeps such a connection: to open it again costs next to nothing.

    Raises
    ------
    InputError
        If the store or the experiment cannot be used; with ``patient`` not for one that is away,
        but for a folder in which nothing could wait.
    """
    if not options.enabled:
        return Store(options, NullBackend())
    from softres.tracking.durable.delivery import deliver
    from softres.tracking.durable.spooling import SpoolingBackend
    from softres.tracking.durable.turns import tidy_turns

    if not patient:
        from softres.tracking.sqlite_backend import connect

        backend = connect(options)
        deliver(Spool.of(options), backend)
        store = Store(options, backend)
        store.close_stale_runs()
        return store
    _check_folder(options.folder)
    place = options.place
    connection, file = _connections.get(place, (None, None))
    # A file that is missing has gone away; another one in its place is another store.
    if connection is not None and options.inode in (None, file):
        connection.recover()
        return Store(options, connection)
    connection = SpoolingBackend(options)
    _connections[place] = connection, options.inode
    if options.database is not None and options.inode is not None:
        _first.setdefault(options.database, options.inode)
    store = Store(options, connection)
    store.close_stale_runs()
    tidy_turns(options)
    return store


def lost_stores() -> list[Path]:
    """Return the files of stores that were deleted or replaced since this process opened them."""
    return [path for path, first in _first.items() if inode_of(path) != first]


def _check_folder(folder: str) -> None:
    """Make the folder where runs take turns and wait, and see that it can be written."""
    path = Path(folder).absolute()
    try:
        path.mkdir(parents=True, exist_ok=True)
        if not os.access(path, os.W_OK | os.X_OK):
            raise PermissionError(EACCES, "it cannot be written", folder)
    except OSError as error:
        raise InputError(f"tracking.folder={folder}: {error.strerror}") from None


#: The patient connections of this process, which a sweep's jobs share, with the store's inode.
_connections: dict[tuple[str, str, str], tuple[SpoolingBackend, int | None]] = {}
#: The inode that the file of each store had when this process first opened it.
_first: dict[Path, int] = {}
