"""Where Algorithm 1 to the letter stops: the largest w^2 at which it fails, and in which way."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from experiments.claims.algorithm.literal_measure import SANDWICH, STATED
from softres.theory.predictions import CONTRACTION

__all__ = ["CELL", "INSTANCE", "KINDS", "failure_map", "largest_failing", "outside"]

#: What kinds of instances differ in, and with the seed what instances do.
CELL = ("R", "n", "d", "rows", "condition")
INSTANCE = (*CELL, "seed")
#: Ways to fail, with their test of draws.
KINDS = {
    "left": lambda t: (t["factor_H"] > CONTRACTION) & np.isfinite(t["factor_H"]),
    "diverges": lambda t: (t["factor_H"] > 1.0) & np.isfinite(t["factor_H"]),
    "negative": lambda t: (t["negative_minimiser"] > 0) | (t["negative_start"] > 0),
}


def outside(table: pd.DataFrame) -> pd.DataFrame:
    """Return the draws at weights below what the sandwich needs."""
    draws = table[(table["part"] == "draw") & ~table["level"].isin((STATED, SANDWICH))]
    return draws[draws["w2"] < draws["needed"]]


def largest_failing(draws: pd.DataFrame, kind: str) -> Any | None:
    """Return the draw of the largest relative w^2 that fails in a way, one of :data:`KINDS`."""
    failing = draws[KINDS[kind](draws)]
    return None if failing.empty else failing.loc[failing["relative"].idxmax()]


def failure_map(table: pd.DataFrame) -> pd.DataFrame:
    """Return the largest relative w^2 of each way to fail, by kind of instance."""
    draws = table[table["part"] == "draw"]
    levels = draws[~draws["level"].isin((STATED, SANDWICH))]
    rows = []
    for key, cell in levels.groupby(list(CELL), sort=True):
        found = {kind: largest_failing(cell, kind) for kind in KINDS}
        rows.append(
            dict(zip(CELL, key, strict=True))
            | {"sandwich needs": float((cell["needed"] / cell["w2"] * cell["relative"]).max())}
            | {
                kind: np.nan if row is None else float(row["relative"])
                for kind, row in found.items()
            }
            | {"worst factor": float(cell["factor_H"].replace(np.inf, np.nan).max())}
        )
    named = {
        "left": f"factor above {CONTRACTION} from",
        "diverges": "diverges from",
        "negative": "D < 0 from",
    }
    return pd.DataFrame(rows).rename(columns=named)
