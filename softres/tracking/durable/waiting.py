"""A run of which something waits on this machine, and the folder that keeps it."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

from softres.common.text import printable
from softres.tracking.charts.curves import MetricPoint
from softres.tracking.durable.damage import DamagedRunError, points_of
from softres.tracking.durable.processes import is_gone
from softres.tracking.protocol import StoredRun

__all__ = ["DAMAGED", "FILES", "GONE", "RECORD", "REFUSED", "WaitingRun", "set_aside"]

RECORD, FILES = "run.json", "files"
#: End the names of folders that are set aside.
REFUSED, DAMAGED = ".refused", ".damaged"
#: Begins the name of a folder that is being deleted.
GONE = ".gone-"


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
    whole
        Whether all of the run is here, and not only what the store has not got.
    attempts
        How often a store has answered the delivery with an error.
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
    whole: bool = False
    attempts: int = 0

    def save(self) -> None:
        """Write the record."""
        content = {key: value for key, value in asdict(self).items() if key != "folder"}
        with _complete(self.folder / RECORD) as path:
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

    def add_file(self, name: str, content: bytes) -> None:
        """Keep an artifact."""
        (self.folder / FILES).mkdir(exist_ok=True)
        with _complete(self.folder / FILES / name) as path:
            path.write_bytes(content)

    def points(self) -> list[list[MetricPoint]]:
        """Return the values of metrics, part by part.

        Raises
        ------
        DamagedRunError
            If a part cannot be read.
        """
        return [points_of(path) for path in sorted(self.folder.glob("points-*.parquet"))]

    def files(self) -> list[Path]:
        """Return the artifacts.

        Raises
        ------
        DamagedRunError
            If their folder is missing.
        """
        try:
            found = sorted((self.folder / FILES).iterdir())
        except OSError as error:
            raise DamagedRunError(f"{FILES}: {error.strerror}") from None
        return [path for path in found if path.suffix != ".part"]

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
        gone = self.folder.rename(self.folder.with_name(GONE + self.folder.name))
        shutil.rmtree(gone, ignore_errors=True)

    def refuse(self, reason: str) -> Path:
        """Set the run aside because its store will not take it; return where it is."""
        self.tags["refused"] = reason
        self.save()
        return self.folder.rename(self.folder.with_name(self.folder.name + REFUSED))

    def set_aside(self, reason: object) -> None:
        """Set the run aside because something of it is damaged, and say so."""
        set_aside(self.folder, reason)


def set_aside(folder: Path, reason: object) -> None:
    """Rename what cannot be read of a spool, and say so."""
    with suppress(FileNotFoundError):  # another process was quicker
        aside = folder.rename(folder.with_name(folder.name + DAMAGED))
        print(
            f"softres: {folder} cannot be delivered ({printable(str(reason))}); it was set aside "
            f"as {aside.name}",
            file=sys.stderr,
            flush=True,
        )


@contextmanager
def _complete(path: Path) -> Iterator[Path]:
    """Yield a path to write to, which becomes the one given when it is written."""
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        yield part
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
