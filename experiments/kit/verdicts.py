"""What several judges share: a run's command, the worst row of many, and what none decides."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from experiments.kit.claim import Author, Conclusion, Counterexample, Verdict
from experiments.kit.runs import LoggedRun

__all__ = ["command", "counterexample", "joined", "row_of_largest", "undecided"]


def command(run: LoggedRun) -> str:
    """Return the command that repeats a run alone, as the run itself has recorded it."""
    return run.tags["command"]


def counterexample(runs: Sequence[LoggedRun], run_id: str, artifact: str = "") -> Counterexample:
    """Return the counterexample that a run found."""
    run = next(run for run in runs if run.run_id == run_id)
    return Counterexample(run, command(run), artifact)


def joined(runs: Sequence[LoggedRun], *params: str) -> pd.DataFrame:
    """Return the tables of all runs as one, with the run's id and some of its parameters."""
    parts = [
        run.table.assign(run=run.run_id, **{key: run.params.get(key, "") for key in params})
        for run in runs
    ]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def row_of_largest(table: pd.DataFrame, key: npt.ArrayLike) -> Any:
    """Return the row of a table where a figure, one a row, is largest."""
    return table.iloc[int(np.nanargmax(np.asarray(key, dtype=float)))]


def undecided(
    statement: str,
    reason: str = "No case was measured.",
    *,
    bound: str = "-",
    author: Author = Author.OURS,
    derived: bool = False,
) -> Verdict:
    """Return the verdict on a statement that no case was measured for."""
    return Verdict(
        statement, Conclusion.UNDECIDED, "-", bound, 0, reason, author=author, derived=derived
    )
