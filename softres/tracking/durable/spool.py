"""Runs, or ends of runs, that wait on this machine until their store can take them.

One folder a run in ``<tracking.folder>/spool``: ``run.json`` with what identifies it, its tags and
its end, ``points-*.parquet`` with values of metrics, and ``files/`` with its artifacts, the full
trace among them. Every file appears under its name when it is complete.
"""

from __future__ import annotations

import json
import os
import shutil
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from softres.tracking.charts.curves import MetricPoint
from softres.tracking.durable.processes import is_gone
from softres.tracking.options import TrackingOptions
from softres.tracking.protocol import StoredRun

__all__ = ["Spool", "WaitingRun"]

_RECORD, _FILES = "run.json", "files"
_REFUSED = ".refused"


@dataclass
class WaitingRun:
    """A run of which something waits.

    Attributes
    ----------
    folder
        Where it is kept.
    uri, experiment
        The store and the experiment that it belongs to.
    run_id
        Its id in the store; empty if the store does not know the run yet.
    name, start, tags, params
        As for the store; only what the store has not got.
    metrics
        Last values, as far as they are known here.
    inputs
        The data that it worked on.
    status, end
        How and when it ended, Unix time in ms; ``status`` is empty while it goes on.
    """

    folder: Path
    uri: str
    experiment: str
    run_id: str = ""
    name: str = ""
    start: int = 0
    tags: dict[str, str] = field(default_factory=dict)
    params: dict[str, str] = field(default_factory=dict)
    metrics: dict[str, float] = field(default_factory=dict)
    inputs: list[dict[str, str]] = field(default_factory=list)
    status: str = ""
    end: int | None = None

    def save(self) -> None:
        """Write the record."""
        content = {key: value for key, value in asdict(self).items() if key != "folder"}
        (self.folder / _FILES).mkdir(parents=True, exist_ok=True)
        with _complete(self.folder / _RECORD) as path:
            path.write_text(json.dumps(content), encoding="utf-8")

    def add(self, points: Sequence[MetricPoint], tags: Mapping[str, str]) -> None:
        """Keep values of metrics and tags."""
        if points:
            import pyarrow as pa
            import pyarrow.parquet as pq

            table = pa.Table.from_pylist([asdict(point) for point in points])
            number = len(list(self.folder.glob("points-*.parquet")))
            with _complete(self.folder / f"points-{number:04d}.parquet") as path:
                pq.write_table(table, path)
        latest = sorted(points, key=lambda point: point.step)
        self.metrics |= {point.name: point.value for point in latest}
        self.tags |= tags
        self.save()

    def add_file(self, path: Path) -> None:
        """Keep a copy of an artifact."""
        with _complete(self.folder / _FILES / path.name) as copy:
            shutil.copyfile(path, copy)

    def points(self) -> Iterator[list[MetricPoint]]:
        """Return the values of metrics, part by part."""
        import pyarrow.parquet as pq

        for path in sorted(self.folder.glob("points-*.parquet")):
            yield [MetricPoint(**row) for row in pq.read_table(path).to_pylist()]

    def files(self) -> list[Path]:
        """Return the artifacts."""
        return [path for path in (self.folder / _FILES).iterdir() if path.suffix != ".part"]

    def settled(self) -> bool:
        """Whether nothing more will be added: it has ended, or its process has."""
        if not self.status and is_gone(self.tags):
            self.status = "KILLED"
        return bool(self.status)

    def is_finished(self, key: str) -> bool:
        """Whether the run is the one of that key, and went well."""
        return self.status == "FINISHED" and self.tags.get("key") == key

    def as_stored(self) -> StoredRun:
        """Return the run as if its store had it."""
        return StoredRun(self.run_id or "waits here", self.name, self.metrics, self.tags, {})

    def remove(self) -> None:
        """Forget the run: the store has it."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def refuse(self, reason: str) -> Path:
        """Set the run aside because its store will never take it; return where it is."""
        self.tags["refused"] = reason
        self.save()
        return self.folder.rename(self.folder.with_name(self.folder.name + _REFUSED))


class Spool:
    """The runs that wait for one store, or with no options given, for any.

    Parameters
    ----------
    folder
        The folder ``spool`` itself; it is made when something has to wait.
    options
        The store.
    """

    def __init__(self, folder: Path, options: TrackingOptions | None = None) -> None:
        self.folder = folder
        self._options = options

    @classmethod
    def of(cls, options: TrackingOptions) -> Spool:
        """Return the spool of a store."""
        return cls(Path(options.folder).absolute() / "spool", options)

    def begin(self, name: str, start: int, tags: Mapping[str, str], run_id: str = "") -> WaitingRun:
        """Keep a run from here on.

        Parameters
        ----------
        name, start, tags
            As for the store; ``start`` in Unix time, ms.
        run_id
            Its id in the store, if that has its beginning.
        """
        assert self._options is not None  # a spool of any store is for reading
        folder = self.folder / uuid.uuid4().hex
        uri, experiment = self._options.absolute_uri, self._options.experiment
        run = WaitingRun(folder, uri, experiment, run_id, name, start, dict(tags))
        run.save()
        return run

    def runs(self) -> list[WaitingRun]:
        """Return the runs that wait, the oldest first."""
        if not self.folder.is_dir():
            return []
        found = []
        for path in self.folder.glob(f"*/{_RECORD}"):
            if path.parent.name.endswith(_REFUSED):
                continue
            try:
                run = WaitingRun(folder=path.parent, **json.loads(path.read_text("utf-8")))
            except FileNotFoundError:
                continue  # delivered by another process at this moment
            if self._options is None or (run.uri, run.experiment) == (
                self._options.absolute_uri,
                self._options.experiment,
            ):
                found.append(run)
        return sorted(found, key=lambda run: run.start)

    def tag_finished(self, key: str, tags: Mapping[str, str]) -> bool:
        """Set tags of the finished runs of a key that wait; return whether there are any."""
        found = [run for run in self.runs() if run.is_finished(key)]
        if not found:
            return False
        with self.alone() as mine:
            # Looked at again: a run that is delivered must not come back.
            for run in self.runs() if mine else []:
                if run.is_finished(key):
                    run.add((), tags)
        return True

    @contextmanager
    def alone(self) -> Iterator[bool]:
        """Yield whether no other process delivers at this moment."""
        from filelock import FileLock, Timeout

        lock = FileLock(self.folder / ".lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            yield False
            return
        try:
            yield True
        finally:
            lock.release()


@contextmanager
def _complete(path: Path) -> Iterator[Path]:
    """Yield a path to write to, which becomes the one given when it is written."""
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        yield part
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
