"""How many independent cases stand behind a verdict, and what so many could have shown."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from experiments.stats import detectable_rate

__all__ = ["count", "sight"]


def count(table: pd.DataFrame, keys: Sequence[str]) -> int:
    """Return how many different cases a table has, by the columns that tell them apart."""
    return len(table[list(keys)].drop_duplicates())


def sight(cells: int) -> str:
    """Say which failure rate a "holds" could have missed.

    Parameters
    ----------
    cells
        Kinds of instances: instances of one kind that differ in their seed alone count once.
    """
    return (
        f"Failures in {detectable_rate(cells):.0%} of such cases would have shown with 95% "
        f"({cells} cells, seeds of a cell counted once)."
    )
