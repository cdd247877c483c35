"""Find runs in a store: with a module that opens databases, all of results that knows MLflow."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from softres.common.errors import InputError
from softres.common.places import fetchable, is_local
from softres.results.columns import Record
from softres.results.database import DatabaseError, read_records, sweep_names
from softres.tracking import TrackingOptions
from softres.tracking.durable.outage import refusal
from softres.tracking.durable.spool import Spool
from softres.tracking.options import without_password
from softres.tracking.sweeps import PREFIX, members_of

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

__all__ = ["LAST", "ResultStore"]

#: Stands for the latest sweep.
LAST = "last"
_PAGE = 5000


class ResultStore:
    """A tracking store, read only.

    Parameters
    ----------
    options
        Where it is.
    address
        Of a PostgreSQL database that MLflow keeps, which is read itself: a server that records
        in it need not run.

    Raises
    ------
    InputError
        If it is not there or cannot be used.
    """

    def __init__(self, options: TrackingOptions, address: str | None = None) -> None:
        self.options = options
        self._address = address
        self.place = options.absolute_uri if address is None else without_password(address)
        self._database = database = options.database if address is None else None
        if database is not None and not database.exists():
            raise InputError(
                f"{database}: no such store; --store or store= names the folder of the runs, "
                "tracking.folder of the command that made them"
            )

    @cached_property
    def _client(self) -> MlflowClient:
        from softres.tracking.backend import MlflowBackend

        if self._address is None:
            return MlflowBackend(self.options, create=False).client
        from softres.results.postgresql import open_client

        with self._one_line():
            return open_client(self._address)

    @cached_property
    def _names(self) -> dict[str, str]:
        """The experiments: id and name."""
        with self._one_line():
            found = self._client.search_experiments()
        return {str(one.experiment_id): str(one.name) for one in found}

    @property
    def folders(self) -> list[Path]:
        """Folders that may hold the files of a store that was moved."""
        folders = [Path(self.options.folder).absolute()]
        if self._database is not None:
            folders.insert(0, self._database.parent)
        return list(dict.fromkeys(folders))

    def records(self, sweeps: Sequence[str], where: str | None) -> list[Record]:
        """Return the runs of some sweeps that match a filter, the earliest first.

        Parameters
        ----------
        sweeps
            Whole names of sweeps; none takes all runs.
        where
            A filter in MLflow's words.

        Raises
        ------
        InputError
            If the filter cannot be read.
        """
        if not sweeps:
            return self._members(None, where)
        found: dict[str, Record] = {}
        for sweep in sweeps:
            for record in self._members(sweep, where):
                found[record.run] = record
        return sorted(found.values(), key=lambda record: record.start)

    def waiting(self) -> int:
        """Return how many runs wait on this machine for the store to come back."""
        return len(Spool.of(self.options).runs()) if self._address is None else 0

    def fetch(self, run: str, name: str, folder: Path) -> Path:
        """Download a file of a run into a folder and return its path.

        Raises
        ------
        OSError
            If it is not there.
        """
        from mlflow.exceptions import MlflowException

        try:
            place = self._client.get_run(run).info.artifact_uri
            server = None if self._database is not None else self.place
            if not (is_local(place) or fetchable(place, server)):
                raise FileNotFoundError(f"{place}: nothing is fetched from where a store says")
            return Path(self._client.download_artifacts(run, name, str(folder)))
        except MlflowException as error:
            raise FileNotFoundError(str(error).partition("\n")[0]) from None

    def resolve(self, sweep: str) -> str:
        """Return the whole name of a sweep, given by its beginning or as `LAST`.

        Raises
        ------
        InputError
            If there is none, or more than one.
        """
        names = self._sweeps()
        if sweep == LAST:
            if not names:
                raise InputError(f"{self.place}: no run of a sweep is in this store")
            return names[0]
        if sweep in names:
            return sweep
        begin_so = [name for name in names if sweep and name.startswith(sweep)]
        if len(begin_so) == 1:
            return begin_so[0]
        many = "more than one sweep begins so" if begin_so else "no such sweep"
        latest = ", ".join((begin_so or names)[:5]) or "none"
        raise InputError(f"sweep={sweep}: {many}; the store has, the latest first: {latest}")

    def _sweeps(self) -> list[str]:
        """Return the names of the sweeps, the latest first.

        A server does not say when a run joined a sweep: there it is the one with the latest run,
        and of those the last by name, which is their start time unless they were given one.
        """
        if (database := self._database) is not None:
            with suppress(DatabaseError):
                return sweep_names(database)
        found: dict[str, None] = {}
        for run in reversed(self._search("tags.sweep LIKE '%'")):
            of_run = [name for key, name in run.tags.items() if key.startswith(PREFIX)]
            found |= dict.fromkeys(sorted(of_run, reverse=True))
        return list(found)

    def _members(self, sweep: str | None, where: str | None) -> list[Record]:
        """Return the runs of a sweep, or of all, that match a filter."""
        if where is None and (database := self._database) is not None:
            with suppress(DatabaseError):
                return read_records(database, sweep)
        member = None if sweep is None else members_of(sweep)
        return self._search(" and ".join(part for part in (member, where) if part))

    def _search(self, query: str) -> list[Record]:
        """Return the runs that match a filter of MLflow's, the earliest first."""
        runs: list[Run] = []
        token = None
        names = list(self._names)
        with self._one_line(f"where={query!r}" if query else None):
            while True:
                page = self._client.search_runs(
                    names,
                    query,
                    max_results=_PAGE,
                    order_by=["attributes.start_time DESC"],
                    page_token=token,
                )
                runs += page
                token = page.token
                if not token:
                    break
        return [self._record(run) for run in reversed(runs)]

    def _record(self, run: Run) -> Record:
        info, data = run.info, run.data
        return Record(
            run=str(info.run_id),
            name=str(info.run_name or ""),
            state=str(info.status),
            start=int(info.start_time or 0),
            experiment=self._names.get(str(info.experiment_id), ""),
            artifacts=str(info.artifact_uri or ""),
            params=dict(data.params),
            tags=dict(data.tags),
            metrics=dict(data.metrics),
        )

    @contextmanager
    def _one_line(self, what: str | None = None) -> Iterator[None]:
        """Turn what a store raises into a line."""
        from mlflow.exceptions import MlflowException
        from sqlalchemy.exc import SQLAlchemyError

        where = self.place
        try:
            yield
        except (MlflowException, SQLAlchemyError, OSError) as error:
            reason = str(error).partition("\n")[0]
            message = f"{what or where}: the store cannot answer ({reason})"
            raise refusal(where, error) or InputError(message) from None
