"""Run again what a store says was run, and compare."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from softres.common.errors import InputError
from softres.common.paths import regular_file
from softres.harness.prepare import on_backend, prepare
from softres.harness.probe import Probe, ProbeContext
from softres.harness.settings import Settings
from softres.problems.reference import Reference
from softres.solvers import Status, solve
from softres.tracking import environment

__all__ = [
    "Comparison",
    "compare",
    "kept_table",
    "kept_text",
    "repeat",
    "same_machine",
    "steps_before",
]

#: What must be equal for equal bits.
MACHINE = ("host", "cpu", "python", "numpy", "scipy", "torch", "blas", "blas_threads")
#: Relative difference that another machine's arithmetic may make, of the first value of a column.
TOLERANCE = 1e-6
#: Bytes that a run's table may unpack to.
LARGEST_TABLE = 1 << 30


@dataclass(frozen=True)
class Comparison:
    """How a repetition differs from what was kept.

    Attributes
    ----------
    rows
        Rows of the kept table and of the new one.
    different
        Largest difference by column, relative to the column's largest value; only columns that
        are not equal to the last bit, and no times.
    """

    rows: tuple[int, int]
    different: Mapping[str, float]

    @property
    def identical(self) -> bool:
        """Whether all but the times is the same to the last bit."""
        return self.rows[0] == self.rows[1] and not self.different

    def within(self, tolerance: float = TOLERANCE) -> bool:
        """Whether the common rows agree to a tolerance, and about as many were taken."""
        largest = max(self.different.values(), default=0.0)
        return abs(self.rows[0] - self.rows[1]) <= 1 and largest <= tolerance


def repeat(settings: Settings, probe: Probe | None, steps: int | None = None) -> pd.DataFrame:
    """Run a job again, recording nothing, and return its trace or its measurements.

    Parameters
    ----------
    settings, probe
        The job.
    steps
        How many steps to take at most, whatever the time; ``None`` for the limits of the job.
    """
    with settings.backend.limited():
        if probe is not None:
            return probe.measure(ProbeContext(settings))
        prepared = prepare(settings)
        problem = settings.solver.prepare(on_backend(prepared, settings))
        reference = Reference(problem, prepared.minimiser, prepared.certificate)
        trace = solve(
            problem,
            settings.solver,
            prepared.x0,
            eps=settings.eps,
            max_steps=settings.max_steps if steps is None else max(1, steps),
            time_limit=settings.time_limit if steps is None else None,
            seed=settings.seed,
            reference=reference,
        ).trace
    if steps is None:
        return trace
    # A step too many, where none had been taken, has columns that the start has not.
    return trace.head(steps + 1).dropna(axis="columns", how="all")


def steps_before(tags: Mapping[str, str], kept: pd.DataFrame) -> int | None:
    """Return the steps that a run had taken when time ended it; ``None`` if something else did.

    In the same time another try takes another number of steps.
    """
    return len(kept) - 1 if tags.get("status") == Status.TIME_LIMIT.value else None


def compare(kept: pd.DataFrame, new: pd.DataFrame) -> Comparison:
    """Compare all columns that are no times, row by row."""
    different: dict[str, float] = {}
    timeless = [str(name) for name in new.columns if "seconds" not in str(name)]
    columns = [name for name in timeless if name in kept.columns]
    rows = min(len(kept), len(new))
    for name in columns:
        old, again = kept[name][:rows], new[name][:rows]
        if not all(pd.api.types.is_numeric_dtype(column) for column in (old, again)):
            if list(old) != list(again):
                different[name] = np.inf
            continue
        a, b = old.to_numpy(dtype=float), again.to_numpy(dtype=float)
        if np.array_equal(a, b, equal_nan=True):
            continue
        scale = float(np.nanmax(np.abs(a), initial=0.0))
        unlike = bool((np.isnan(a) != np.isnan(b)).any()) or scale == 0.0
        different[name] = np.inf if unlike else float(np.nanmax(np.abs(a - b))) / scale
    missing = [name for name in timeless if name not in kept.columns]
    return Comparison((len(kept), len(new)), different | dict.fromkeys(missing, np.inf))


def same_machine(tags: Mapping[str, str], settings: Settings) -> list[str]:
    """Return what is not as it was when a run was made: then its bits may differ."""
    with settings.backend.limited():
        now = environment()
    return [
        f"{name} was {tags.get(name, 'unknown')}, is {now[name]}"
        for name in MACHINE
        if tags.get(name) != now[name]
    ]


def kept_text(artifact: Callable[[str], Path], name: str, most: int) -> str:
    """Return the text of a file of a run, which has at most so many bytes.

    Raises
    ------
    InputError
        If it is not there, no file that has an end, or longer.
    """
    path = _kept_file(artifact, name)
    size = path.stat().st_size
    if size > most:
        raise InputError(f"{name}: has {size} bytes, and may have {most}")
    return path.read_text("utf-8", errors="replace")


def kept_table(tags: Mapping[str, str], artifact: Callable[[str], Path]) -> pd.DataFrame:
    """Return a run's trace, or the table of a measurement.

    Raises
    ------
    InputError
        If it is not there, damaged, or unpacks to more than it should.
    """
    import pyarrow.parquet as pq

    name = "measurements.parquet" if tags.get("status") == "measured" else "trace.parquet"
    try:
        path = _kept_file(artifact, name)
        footer = pq.read_metadata(path)
        groups = (footer.row_group(k) for k in range(footer.num_row_groups))
        size = max(sum(one.total_byte_size for one in groups), footer.num_rows)
        if size > LARGEST_TABLE:
            raise InputError(f"{name}: unpacks to {size} bytes, and may to {LARGEST_TABLE}")
        return pd.read_parquet(path)
    except InputError:
        raise
    except (OSError, ValueError) as error:
        raise InputError(f"{name}: cannot be read ({str(error).partition(chr(10))[0]})") from None


def _kept_file(artifact: Callable[[str], Path], name: str) -> Path:
    try:
        return regular_file(artifact(name))
    except InputError as error:
        raise InputError(f"{name}: {error}") from None
