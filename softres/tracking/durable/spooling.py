"""A store that is never in the way: what it cannot take now waits here and is delivered later."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TypeVar

from softres.common.program import shown_command
from softres.common.text import printable
from softres.tracking.backend import MlflowBackend
from softres.tracking.charts.curves import MetricPoint
from softres.tracking.durable.delivery import deliver
from softres.tracking.durable.interrupts import uninterrupted
from softres.tracking.durable.outage import (
    AwayError,
    check_server,
    is_answer,
    is_forbidden,
    is_outage,
    refusal,
)
from softres.tracking.durable.spool import Spool
from softres.tracking.durable.waiting import WaitingRun
from softres.tracking.options import TrackingOptions
from softres.tracking.protocol import InputData, StoredRun
from softres.tracking.sqlite_backend import connect

__all__ = ["SpoolingBackend"]

_T = TypeVar("_T")


class SpoolingBackend:
    """An MLflow store with a spool in front of it.

    A call that fails because the store is away says so once, and what it would have written goes
    to the spool, like all that follows of the same run. The other runs go to the store again as
    soon as it answers. A server that turns the user away is an error of input, but not in the
    middle of a run: that one is kept.

    Parameters
    ----------
    options
        Where the store is.
    """

    def __init__(self, options: TrackingOptions) -> None:
        self._options = options
        self._spool = Spool.of(options)
        self._waiting: dict[str, WaitingRun] = {}
        self._begun: dict[str, tuple[str, int, dict[str, str]]] = {}
        # All that was sent of the runs under way: what a store took may turn out not to be there.
        self._history: dict[str, list[Callable[[WaitingRun], None]]] = {}
        self._watches: dict[str, Callable[[], None]] = {}
        self._store: MlflowBackend | None = None
        self._file: int | None = None  # the inode of the store's
        self._worked = False  # it has taken a run
        self.away = False
        self._warned = False
        self.recover()

    def recover(self) -> None:
        """See whether the store answers, and deliver what waits for it."""
        try:
            if self._options.database is None:
                check_server(self._options.absolute_uri, timeout=5.0)
            self.away = False
            delivered = deliver(self._spool, self._connected())
        except Exception as error:
            self._is_away(error)
            return
        self._warned = False
        if delivered:
            print(f"softres: delivered {delivered} runs that had waited", flush=True)

    @property
    def experiment_id(self) -> str:
        """Id of the experiment; empty while it is not known."""
        return "" if self._store is None else self._store.experiment_id

    def create_run(self, name: str, tags: Mapping[str, str], start: int) -> str:
        """Create a run that started at Unix time ``start`` in ms; return its id."""

        def keep() -> str:
            run = self._spool.begin(name, start, tags)
            self._waiting[run.folder.name] = run
            return run.folder.name

        def create(store: MlflowBackend) -> str:
            run_id = store.create_run(name, tags, start)
            self._watches[run_id] = store.watch(run_id)
            return run_id

        run_id = self._try(create, keep)
        self._begun[run_id], self._history[run_id] = (name, start, dict(tags)), []
        self._worked = self._worked or run_id not in self._waiting
        return run_id

    def knows(self, run_id: str) -> bool:
        """Whether the store has a run of that id, or one waits for it."""
        return run_id in self._waiting or self._try(lambda store: store.knows(run_id), bool)

    def log_params(self, run_id: str, params: Mapping[str, str]) -> None:
        """Record parameters, once a run."""

        def keep(run: WaitingRun) -> None:
            run.params |= params
            run.save()

        self._write(run_id, lambda store: store.log_params(run_id, params), keep)

    def log_batch(
        self, run_id: str, points: Sequence[MetricPoint], tags: Mapping[str, str]
    ) -> None:
        """Record values of metrics and set tags."""
        self._write(
            run_id,
            lambda store: store.log_batch(run_id, points, tags),
            lambda run: run.add(points, tags),
        )

    def log_input(self, run_id: str, data: InputData) -> None:
        """Name data that a run works on."""

        def keep(run: WaitingRun) -> None:
            run.inputs.append(asdict(data))
            run.save()

        self._write(run_id, lambda store: store.log_input(run_id, data), keep)

    def log_file(self, run_id: str, path: Path) -> None:
        """Copy a file to the artifacts of a run."""
        content = path.read_bytes()  # the file itself is a temporary one
        self._write(
            run_id,
            lambda store: store.log_file(run_id, path),
            lambda run: run.add_file(path.name, content),
        )

    def end_run(self, run_id: str, status: str, end: int | None = None) -> None:
        """End a run as FINISHED, FAILED or KILLED, at Unix time ``end`` in ms or now."""

        def keep(run: WaitingRun) -> None:
            run.status, run.end = status, end or time.time_ns() // 1_000_000
            run.save()

        if end_watch := self._watches.pop(run_id, None):
            end_watch()
        self._write(run_id, lambda store: store.end_run(run_id, status, end), keep)
        for known in (self._waiting, self._begun, self._history):
            known.pop(run_id, None)

    def tag_finished(self, run_id: str, tags: Mapping[str, str]) -> None:
        """Set tags of a run that has ended, if the store is there."""
        self._try(lambda store: store.tag_finished(run_id, tags), lambda: None)

    def add_file(self, run_id: str, path: Path) -> None:
        """Copy a file to the artifacts of a run that has ended, if the store is there."""
        self._try(lambda store: store.add_file(run_id, path), lambda: None)

    def find(self, query: str, limit: int) -> list[StoredRun]:
        """Return the latest runs that match a search filter; none while the store is away."""
        return self._try(lambda store: store.find(query, limit), list)

    def file(self, run_id: str, name: str) -> Path:
        """Return a local path of an artifact of a run."""
        return self._connected().file(run_id, name)

    def tag_experiment(self, tags: Mapping[str, str]) -> None:
        """Set tags of the experiment, if the store is there."""
        self._try(lambda store: store.tag_experiment(tags), lambda: None)

    def _connected(self) -> MlflowBackend:
        if self.away:
            raise AwayError("the tracking store is away")
        if self._store is None:
            self._store = connect(self._options)
            self._file = self._options.inode
        elif self._file != self._options.inode:
            # An open connection would go on with a file that nobody sees any more.
            raise AwayError("the file was deleted or replaced")
        return self._store

    def _try(self, send: Callable[[MlflowBackend], _T], keep: Callable[[], _T]) -> _T:
        with uninterrupted():
            try:
                try:
                    return send(self._connected())
                except Exception as error:
                    if not is_forbidden(error):
                        raise
                    return send(self._connected())
            except Exception as error:
                self._is_away(error)
                return keep()

    def _write(
        self,
        run_id: str,
        send: Callable[[MlflowBackend], None],
        keep: Callable[[WaitingRun], None],
    ) -> None:
        if run_id not in self._begun:  # another process's that is gone: the next start sees to it
            self._try(send, lambda: None)
            return
        with uninterrupted():
            if run_id in self._waiting:
                keep(self._waiting[run_id])
                return
            self._history[run_id].append(keep)
            try:
                send(self._connected())
                return
            except Exception as error:
                self._is_away(error, begun=True)
            run = self._spool.begin(*self._begun[run_id], run_id)
            for step in self._history[run_id]:
                step(run)
            run.whole = True
            run.save()
            self._waiting[run_id] = run

    def _is_away(self, error: Exception, *, begun: bool = False) -> None:
        """Note that the store is away, and say so once; raise what is another kind of error."""
        refused = refusal(self._options.absolute_uri, error)
        # Who could write a moment ago is not turned away for good: a proxy may say so now and then.
        now_and_then = self._worked and is_forbidden(error)
        if refused and not begun and not now_and_then:
            raise refused from None
        if not (refused or is_outage(error) or (self._spool.remote and is_answer(error))):
            raise error
        self.away = True
        if not self._warned:
            self._warned = True
            uri = self._options.absolute_uri
            reason = str(refused or error).splitlines()[0].removeprefix(f"tracking.uri={uri}: ")
            print(
                f"softres: warning: {uri} takes no records now ({printable(reason[:90])}); they "
                f"wait in {self._spool.folder} until the next run, or "
                f"{shown_command('sync')}, delivers them",
                file=sys.stderr,
                flush=True,
            )
