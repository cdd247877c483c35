"""Record one run: parameters, tags, metrics, curves, files, and how it ended."""

from __future__ import annotations

import math
import tempfile
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal

from softres.tracking.accepted import cut, file_name, whole
from softres.tracking.charts.curves import (
    TIME_SUFFIX,
    MetricPoint,
    check_metric_name,
    resample,
    select,
)
from softres.tracking.durable.interrupts import uninterrupted
from softres.tracking.protocol import Backend, InputData

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["RunLog"]


class RunLog:
    """A run: a context manager that starts it with its block and ends it as the block ends.

    FINISHED when the block ends normally; FAILED on an exception, with its first line as tag
    ``error`` and its traceback as artifact ``error.txt``; KILLED on what is meant to stop the
    process (``KeyboardInterrupt``, ``SystemExit``).

    Values and tags are collected and sent together: with curves that are not final, and at the
    end. A call of the store takes far longer than what it stores.

    Parameters
    ----------
    backend
        Store of the run.
    name
        Name that people read.
    params
        Parameters, recorded once; long values are cut.
    tags
        Tags to start with; long values are cut.

    Attributes
    ----------
    run_id
        What identifies the run to MLflow; empty before it starts and when tracking is off.
    start
        When the run started, Unix time in ms.
    """

    def __init__(
        self,
        backend: Backend,
        name: str,
        params: Mapping[str, object],
        tags: Mapping[str, object],
    ) -> None:
        self._backend = backend
        self._params = {k: cut(v, "param") for k, v in params.items()}
        self._first_tags = {k: cut(v, "tag") for k, v in tags.items()}
        self._sent: dict[str, set[int]] = {}
        self._points: list[MetricPoint] = []
        self._tags: dict[str, str] = {}
        self.run_id = ""
        self.name = name
        self.start = 0

    def __enter__(self) -> RunLog:
        self.start = time.time_ns() // 1_000_000
        try:
            with uninterrupted():
                self.run_id = self._backend.create_run(self.name, self._first_tags, self.start)
                self._backend.log_params(self.run_id, self._params)
        except BaseException as error:
            if self.run_id:  # the run is there, and its block will not be entered
                self.__exit__(type(error), error, error.__traceback__)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> Literal[False]:
        if error is None:
            with uninterrupted():
                self._send()
                self._backend.end_run(self.run_id, "FINISHED")
            return False
        try:
            with uninterrupted():
                self._close_failed(error)
        except Exception as second:
            # What went wrong in the run matters more than that it could not be recorded.
            error.add_note(f"the run could not be recorded as failed: {second}")
        return False

    def tags(self, tags: Mapping[str, object]) -> None:
        """Set tags of the run; long values are cut."""
        self._tags |= {k: cut(v, "tag") for k, v in tags.items()}

    def works_on(self, data: InputData) -> None:
        """Name data that the run works on."""
        with uninterrupted():
            self._backend.log_input(self.run_id, data)

    def metrics(self, values: Mapping[str, float], *, step: int = 0, seconds: float = 0.0) -> None:
        """Record single values; values that are not finite are left out.

        Parameters
        ----------
        values
            Metrics and their values.
        step
            Iteration, the same for all.
        seconds
            Solve time since the start of the run, s.

        Raises
        ------
        ValueError
            If a name cannot be stored or the step is not a whole number.
        """
        for name in values:
            check_metric_name(name)
        number, timestamp = whole(step), self._timestamp(seconds)
        self._points += [
            MetricPoint(name, float(value), number, timestamp)
            for name, value in values.items()
            if math.isfinite(value)
        ]

    def curves(
        self,
        table: pd.DataFrame | Mapping[str, Sequence[float]],
        *,
        seconds: str,
        step: str,
        columns: Sequence[str],
        by_time: Sequence[str] = (),
        final: bool = True,
    ) -> None:
        """Send curves, each thinned to at most 320 points with its first and its last kept.

        May be called again and again with the trace so far: a step is sent once. The timestamp of
        a point is the start of the run plus the solve time of its row. Points that are not finite
        are left out.

        Parameters
        ----------
        table
            The trace from its first row on.
        seconds
            Column with the solve time since the start of the run, s.
        step
            Column with the iteration, whole numbers.
        columns
            Columns to send; each becomes a metric of the same name.
        by_time
            Columns to send once more at the end over solve time, for charts of groups of runs:
            metric ``<column>_by_microseconds``, whose steps are microseconds.
        final
            ``False`` while the run goes on: a few points that show how far it is. ``True`` once at
            the end fills the curves up.

        Raises
        ------
        ValueError
            If a name cannot be stored or a step is not a whole number.
        KeyError
            If a column is missing.
        """
        for name in (*columns, *by_time):
            check_metric_name(name + TIME_SUFFIX)
        steps = [whole(value) for value in table[step]]
        times = [float(value) for value in table[seconds]]
        points: list[MetricPoint] = []
        for name in columns:
            # A row without a time has no place on the time axis.
            values = [
                float(value) if math.isfinite(time) else math.nan
                for value, time in zip(table[name], times, strict=True)
            ]
            sent = self._sent.setdefault(name, set())
            for row in select(steps, values, sent, final=final):
                sent.add(steps[row])
                points.append(
                    MetricPoint(name, values[row], steps[row], self._timestamp(times[row]))
                )
        for name in by_time if final else ():
            key = name + TIME_SUFFIX
            sent = self._sent.setdefault(key, set())
            for micros, value in resample(times, [float(value) for value in table[name]]):
                if micros not in sent:
                    sent.add(micros)
                    points.append(MetricPoint(key, value, micros, self._timestamp(micros * 1e-6)))
        self._points += points
        if not final:
            self._send()

    def table(
        self,
        table: pd.DataFrame | Mapping[str, Sequence[Any]],
        name: str = "trace.parquet",
    ) -> None:
        """Keep a whole table as a Parquet artifact.

        Parameters
        ----------
        table
            Columns of equal length.
        name
            File name of the artifact.

        Raises
        ------
        ValueError
            If the file name has folders.
        """
        if not self.run_id:
            return  # tracking is off: do not import what only writes
        import pyarrow as pa
        import pyarrow.parquet as pq

        if isinstance(table, Mapping):
            data = pa.table({k: pa.array(v) for k, v in table.items()})
        else:
            data = pa.Table.from_pandas(table, preserve_index=False)
        self._keep(name, lambda path: pq.write_table(data, path))

    def arrays(self, name: str, arrays: Mapping[str, Any]) -> None:
        """Keep arrays as an ``.npz`` artifact.

        Parameters
        ----------
        name
            File name of the artifact.
        arrays
            The arrays by their names.

        Raises
        ------
        ValueError
            If the file name has folders.
        """
        if not self.run_id:
            return
        import numpy as np

        self._keep(name, lambda path: np.savez_compressed(path, **arrays))

    def text(self, name: str, content: str) -> None:
        """Keep a text as an artifact.

        Parameters
        ----------
        name
            File name of the artifact.
        content
            The text.

        Raises
        ------
        ValueError
            If the file name has folders.
        """
        self._keep(name, lambda path: path.write_text(content, encoding="utf-8"))

    def _keep(self, name: str, write: Callable[[Path], object]) -> None:
        with uninterrupted(), tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / file_name(name)
            write(path)
            self._backend.log_file(self.run_id, path)

    def _send(self) -> None:
        points, tags = self._points, self._tags
        self._points, self._tags = [], {}
        if points or tags:
            self._backend.log_batch(self.run_id, points, tags)

    def _timestamp(self, seconds: float) -> int:
        return self.start + round(1000 * float(seconds))

    def _close_failed(self, error: BaseException) -> None:
        lines = traceback.format_exception_only(error)
        self.tags({"error": lines[0].strip().partition("\n")[0]})
        self._send()
        if isinstance(error, Exception):
            self.text("error.txt", "".join(traceback.format_exception(error)))
        self._backend.end_run(self.run_id, "FAILED" if isinstance(error, Exception) else "KILLED")
