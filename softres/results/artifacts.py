"""Traces of runs, read where their files are and kept once read."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from softres.common import places
from softres.results.columns import Record

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

__all__ = ["TRACE", "TraceReader", "local_folder"]

#: Name of the file that holds the trace of a solve.
TRACE = "trace.parquet"
#: Files that are fetched from a server at once.
_AT_ONCE = 8


def local_folder(record: Record, stores: Sequence[Path]) -> Path | None:
    """Return the folder of a run's files on this machine; None where it is missing or elsewhere."""
    return places.local_folder(record.artifacts, record.run, stores)


class TraceReader:
    """Reads traces, each of them once.

    Parameters
    ----------
    records
        The runs.
    stores
        Folders that may hold the files of a store that was moved.
    fetch
        Downloads a file of a run into a folder and returns its path; raises an `OSError` where
        there is none.
    """

    def __init__(
        self,
        records: Iterable[Record],
        stores: Sequence[Path],
        fetch: Callable[[str, str, Path], Path],
    ) -> None:
        self._records = {record.run: record for record in records}
        self._stores = stores
        self._fetch = fetch
        self._read: dict[str, pa.Table] = {}
        self._looked_for: set[str] = set()

    def __call__(self, runs: Sequence[str]) -> pd.DataFrame:
        """Return the traces of runs below one another, with the run's id as column ``run``."""
        import pandas as pd
        import pyarrow as pa

        self._look_for([run for run in runs if run not in self._looked_for])
        tables = [self._read[run] for run in runs if run in self._read]
        if not tables:
            return pd.DataFrame({"run": pd.Series(dtype=object), "step": pd.Series(dtype="int64")})
        frame: pd.DataFrame = pa.concat_tables(tables, promote_options="permissive").to_pandas()
        return frame

    def without(self, runs: Sequence[str]) -> list[str]:
        """Return those of the runs that have no trace."""
        self._look_for([run for run in runs if run not in self._looked_for])
        return [run for run in runs if run not in self._read]

    def _look_for(self, runs: Sequence[str]) -> None:
        self._looked_for.update(runs)
        remote = []
        for run in runs:
            record = self._records[run]
            if not places.is_local(record.artifacts):
                remote.append(run)
            elif (folder := local_folder(record, self._stores)) is not None:
                self._keep(run, folder / TRACE)
        if not remote:
            return
        with tempfile.TemporaryDirectory(prefix="softres-") as name:

            def fetch(run: str) -> Path | None:
                own = Path(name) / run
                own.mkdir()
                try:
                    return self._fetch(run, TRACE, own)
                except OSError:
                    return None

            with ThreadPoolExecutor(_AT_ONCE) as pool:
                for run, path in zip(remote, pool.map(fetch, remote), strict=True):
                    if path is not None:
                        self._keep(run, path)

    def _keep(self, run: str, path: Path) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            # Without threads: the files are small.
            table = pq.read_table(path, use_threads=False).replace_schema_metadata()
        except (FileNotFoundError, pa.ArrowInvalid):
            return  # there is none, or its run was killed while it was written
        names = pa.array([run] * len(table), pa.string())
        self._read[run] = table.add_column(0, "run", names)
