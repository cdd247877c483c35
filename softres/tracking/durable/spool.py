"""Runs, or ends of runs, that wait on this machine until their store can take them.

One folder a run in ``<tracking.folder>/spool``: ``run.json`` with what identifies it, its tags and
its end, ``points-*.parquet`` with values of metrics, and ``files/`` with its artifacts, the full
trace among them. Folders and files appear under their names when they are complete, and a folder
loses its name before it is deleted. ``.damaged`` and ``.refused`` are set aside.
"""

from __future__ import annotations

import os
import shutil
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from softres.tracking.durable.damage import DamagedRunError, fields_of
from softres.tracking.durable.waiting import (
    DAMAGED,
    FILES,
    GONE,
    RECORD,
    REFUSED,
    WaitingRun,
    set_aside,
)
from softres.tracking.options import TrackingOptions

__all__ = ["Spool"]

#: Begins the name of a folder that is not there yet.
_DRAFT = ".new-"
#: Seconds that the making of one takes at most: a process may not be seen from here.
_MAKING = 5.0


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

    @property
    def remote(self) -> bool:
        """Whether its store is a server, between which and here others may answer."""
        return self._options is not None and self._options.database is None

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
        mark = uuid.uuid4().hex
        draft = self.folder / f"{_DRAFT}{os.getpid()}-{mark}"
        uri, experiment = self._options.absolute_uri, self._options.experiment
        run = WaitingRun(draft, uri, experiment, run_id, name, start, dict(tags))
        (draft / FILES).mkdir(parents=True)
        run.save()
        run.folder = draft.rename(self.folder / mark)
        return run

    def runs(self) -> list[WaitingRun]:
        """Return the runs that wait, the oldest first; what cannot be read is set aside."""
        if not self.folder.is_dir():
            return []
        found = []
        for folder in self.folder.iterdir():
            if folder.name.startswith(".") or not folder.is_dir() or _is_aside(folder):
                continue
            try:
                run = WaitingRun(folder, **fields_of(folder / RECORD, WaitingRun))
            except FileNotFoundError:
                if folder.is_dir():
                    set_aside(folder, f"no {RECORD}")
                continue  # delivered by another process at this moment
            except DamagedRunError as error:
                set_aside(folder, error)
                continue
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

    def aside(self) -> list[Path]:
        """Return what was set aside, damaged or refused."""
        if not self.folder.is_dir():
            return []
        return sorted(path for path in self.folder.iterdir() if path.suffix in (REFUSED, DAMAGED))

    def take_back(self) -> int:
        """Let the runs that a store refused wait again; return how many."""
        refused = [path for path in self.aside() if path.suffix == REFUSED]
        for path in refused:
            path.rename(path.with_suffix(""))
        return len(refused)

    def tidy(self) -> None:
        """Remove what was being made or deleted when a process ended; to be called alone."""
        for path in self.folder.glob(f"{GONE}*"):
            shutil.rmtree(path, ignore_errors=True)
        for path in self.folder.glob(f"{_DRAFT}*"):
            pid = path.name.removeprefix(_DRAFT).partition("-")[0]
            with suppress(FileNotFoundError):  # it has its name now
                if not _lives(pid) and time.time() - path.stat().st_mtime > _MAKING:
                    shutil.rmtree(path, ignore_errors=True)

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


def _is_aside(folder: Path) -> bool:
    return folder.suffix in (REFUSED, DAMAGED)


def _lives(pid: str) -> bool:
    import psutil

    return pid.isdecimal() and bool(psutil.pid_exists(int(pid)))
