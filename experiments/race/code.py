"""Of what code rows are: no table and no figure mixes them."""

from __future__ import annotations

from collections.abc import Collection

import pandas as pd

from experiments.race.contestants.base import Contestant
from softres.common.errors import InputError

__all__ = ["is_present", "of_one_code"]


def is_present(rows: pd.DataFrame, contestants: Collection[Contestant]) -> pd.Series[bool]:
    """Return which rows are of the code that is here; those of other contestants count as such.

    Parameters
    ----------
    rows
        As in :data:`experiments.race.results.COLUMNS`.
    contestants
        Whose code is looked at.
    """
    codes = {contestant.name: contestant.code() for contestant in contestants}
    return rows.code == rows.contestant.map(codes).fillna(rows.code)


def of_one_code(
    rows: pd.DataFrame, contestants: Collection[Contestant], *, leave_out: bool
) -> tuple[pd.DataFrame, str]:
    """Return rows that may stand in one table, and a sentence on those that are left out.

    The rows of a contestant are of one code: of what is here where there are some, otherwise of the
    latest. Those of ours, which have most of their code in common, are all of what is here or none.

    Parameters
    ----------
    rows
        As in :data:`experiments.race.results.COLUMNS`, in the order in which they were made.
    contestants
        Those that rows may be of.
    leave_out
        Whether to leave out rows of other code, or to refuse.

    Raises
    ------
    InputError
        Says whose runs are of other code.
    """
    present = is_present(rows, contestants)
    ours = rows.side == "ours"
    kept = rows.code == rows.groupby("contestant").code.transform("last")
    kept = kept.mask(present.groupby(rows.contestant).transform("any"), present)
    if (ours & present).any():
        kept &= present | ~ours
    if kept.all():
        return rows, ""
    runs = rows[~kept].drop_duplicates(["instance", "contestant", "repeat"])
    counts = ", ".join(f"{name} {count}" for name, count in runs.contestant.value_counts().items())
    if leave_out:
        return rows[kept], f"Left out are runs of other code: {counts}."
    raise InputError(
        f"runs of other code than the rest: {counts}; race them again (the command without "
        "--no-run does), or write without them (--leave-out-other-code)"
    )
