"""Load runs of sweeps from a store."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from softres.common.errors import InputError
from softres.tracking import TrackingOptions
from softres.tracking.options import without_password

if TYPE_CHECKING:
    from softres.results.columns import Record
    from softres.results.runs import Runs
    from softres.results.store import ResultStore

__all__ = ["load"]


def load(
    sweep: str | Sequence[str] | None = None,
    *,
    where: str | None = None,
    store: str | os.PathLike[str] = "results",
    repeats: bool = False,
) -> Runs:
    """Load runs.

    Parameters
    ----------
    sweep
        ``"last"`` for the latest sweep; a sweep's name (the tag ``sweep``: its start
        time, unless ``tracking.sweep`` gave another), or as much of its beginning as tells it from
        others; or several of these. None takes every run that `where` lets through.
    where
        A filter in MLflow's words, such as ``"params.problem = 'softmax'"``.
    store
        Folder of the store (``tracking.folder`` of the command that ran), or a tracking URI:
        ``sqlite:///path``, ``http(s)://host:port``, or ``postgresql://user@host/name``, the
        database that an MLflow server records in. Files that a server hands out come by its own
        address only.
    repeats
        Whether to keep earlier runs of the same configuration and code. Otherwise the latest one
        that finished counts, and the notes say how many were left out.

    Returns
    -------
    Runs
        The earliest first.

    Raises
    ------
    InputError
        If the store cannot be used, there is no such sweep, the filter cannot be read, or nothing
        matches.

    Examples
    --------
    >>> runs = load(sweep="last")  # doctest: +SKIP
    >>> runs = load(where="params.problem = 'softmax'", store="http://127.0.0.1:5000")
    ... # doctest: +SKIP
    """
    from softres.results.artifacts import TraceReader
    from softres.results.columns import as_table
    from softres.results.runs import Runs

    sweeps = [sweep] if isinstance(sweep, str) else list(sweep or ())
    opened = _open(os.fspath(store))
    sweeps = [opened.resolve(name) for name in sweeps]
    records = opened.records(sweeps, where)
    if not records:
        asked = [f"sweep={name}" for name in sweeps] + ([f"where={where!r}"] if where else [])
        raise InputError(f"{', '.join(asked) or opened.place}: no run matches")
    records = [record.shown() for record in records]
    notes = []
    if not repeats:
        kept = _latest(records)
        if left := len(records) - len(kept):
            notes.append(f"{_runs(left)} left out for a later one of the same configuration")
        records = kept
    if waiting := opened.waiting():
        notes.append(f"{_runs(waiting)} not delivered to the store yet: python scripts/sync.py")
    reader = TraceReader(records, opened.folders, opened.fetch)
    params = tuple(dict.fromkeys(key for record in records for key in record.params))
    source = {"sweeps": tuple(sweeps), "where": where, "store": without_password(str(store))}
    return Runs(as_table(records), params=params, reader=reader, notes=notes, source=source)


def _open(text: str) -> ResultStore:
    from softres.results.store import ResultStore

    if text.startswith(("postgresql:", "postgresql+psycopg2:")):
        return ResultStore(TrackingOptions(), text)
    return ResultStore(_options(text))


def _options(text: str) -> TrackingOptions:
    if "://" in text or text.startswith("sqlite:"):
        options = TrackingOptions(uri=text)
        database = options.database
        return options if database is None else replace(options, folder=str(database.parent))
    path = Path(text)
    if path.suffix == ".db":
        return TrackingOptions(uri=f"sqlite:///{path.absolute()}", folder=str(path.parent))
    return TrackingOptions(folder=text)


def _latest(records: Sequence[Record]) -> list[Record]:
    """Return one run for each configuration and code: the latest that finished, or the latest."""
    chosen: dict[str, Record] = {}
    for record in records:  # the earliest first
        key = record.tags.get("key", record.run)
        before = chosen.get(key)
        if before is None or record.state == "FINISHED" or before.state != "FINISHED":
            chosen[key] = record
    return sorted(chosen.values(), key=lambda record: record.start)


def _runs(count: int) -> str:
    return f"{count} run{'s' * (count != 1)}"
