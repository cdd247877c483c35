"""Read runs from an SQLite store without MLflow, which takes seconds to import and to open one.

Only for reading, and only the six tables that have held runs since MLflow 1; a filter in MLflow's
words, and a store whose tables differ, are left to MLflow itself.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from softres.results.columns import Record
from softres.tracking.sweeps import in_sweep

__all__ = ["DatabaseError", "read_records", "sweep_names"]

#: What a file that is no such store raises.
DatabaseError = sqlite3.Error

_RUNS = """
select r.run_uuid, r.name, r.status, r.start_time, e.name, r.artifact_uri
from runs r join experiments e on e.experiment_id = r.experiment_id
where r.lifecycle_stage = 'active' and e.lifecycle_stage = 'active'
"""
_OF_SWEEP = "r.run_uuid in (select run_uuid from tags where key = ? and value = ?)"


def sweep_names(path: Path) -> list[str]:
    """Return the names of the sweeps, the one first that a run joined last."""
    query = """
    select t.value from tags t join runs r on r.run_uuid = t.run_uuid
    join experiments e on e.experiment_id = r.experiment_id
    where t.key like 'sweep.%' and r.lifecycle_stage = 'active' and e.lifecycle_stage = 'active'
    group by t.value order by max(t.rowid) desc
    """
    with _reading(path) as connection:
        return [str(name) for (name,) in connection.execute(query)]


def read_records(path: Path, sweep: str | None) -> list[Record]:
    """Return the runs of a sweep, or all, the earliest first.

    Raises
    ------
    DatabaseError
        If the file is no store of the tables known here.
    """
    with _reading(path) as connection:
        query = _RUNS if sweep is None else f"{_RUNS} and {_OF_SWEEP}"
        given = () if sweep is None else next(iter(in_sweep(sweep).items()))
        rows = connection.execute(f"{query} order by r.start_time, r.rowid", given).fetchall()
        ids = None if sweep is None else [row[0] for row in rows]
        params = _pairs(connection, "select run_uuid, key, value from params", ids)
        tags = _pairs(connection, "select run_uuid, key, value from tags", ids)
        latest = "select run_uuid, key, case when is_nan then null else value end "
        metrics = _pairs(connection, latest + "from latest_metrics", ids)
    return [
        Record(
            run=run,
            name=name or "",
            state=status or "",
            start=int(start or 0),
            experiment=experiment,
            artifacts=artifacts or "",
            params=params[run],
            tags=tags[run],
            metrics={key: float("nan") if v is None else v for key, v in metrics[run].items()},
        )
        for run, name, status, start, experiment, artifacts in rows
    ]


def _pairs(
    connection: sqlite3.Connection, query: str, ids: Iterable[str] | None
) -> defaultdict[str, dict[str, Any]]:
    """Return the keys and values of each run, in the order in which they were logged."""
    found: defaultdict[str, dict[str, Any]] = defaultdict(dict)
    if ids is None:
        rows = connection.execute(f"{query} order by rowid")
        for run, key, value in rows:
            found[run][key] = value
        return found
    for run in ids:
        for _, key, value in connection.execute(
            f"{query} where run_uuid = ? order by rowid", (run,)
        ):
            found[run][key] = value
    return found


@contextmanager
def _reading(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=20.0)) as connection:
        yield connection
