"""How many independent cases stand behind a verdict, and what so many could have shown."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from experiments.kit.statistics import detectable_rate

__all__ = ["count", "lower_median", "sight"]


def count(table: pd.DataFrame, keys: Sequence[str]) -> int:
    """Return how many different cases a table has, by the columns that tell them apart."""
    return len(table[list(keys)].drop_duplicates())


def sight(cells: int) -> str:
    """Say which failure rate a "holds" could have missed.

    Parameters
    ----------
    cells
        Kinds of instances: those that differ in their seed alone, or are problems over one A,
        count once.
    """
    return (
        f"Failures in {detectable_rate(cells):.0%} of such cases would have shown with 95% "
        f"({cells} cell{'s' * (cells != 1)}, seeds counted once)."
    )


def lower_median(values: npt.ArrayLike) -> float:
    """Return the median, of an even number of values the lower one of the middle two.

    No mean is taken: a value of -inf stays one, and does not weigh on the others.
    """
    ordered = np.sort(np.asarray(values, dtype=float))
    return float(ordered[(len(ordered) - 1) // 2])
