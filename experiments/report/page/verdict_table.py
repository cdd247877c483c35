"""Verdicts as a table: whose statement each is, and what its cases could have seen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd

from experiments.kit.claim import Author, Conclusion, Verdict
from experiments.kit.statistics import detectable_rate
from experiments.report.collect import JudgedClaim
from softres.results.writing.cells import write_csv

__all__ = [
    "DERIVED",
    "GROUPS",
    "NAMES",
    "PRINTED",
    "digits",
    "group",
    "looseness",
    "sees",
    "verdict_table",
    "write",
]

#: The group of statements that are proven here, whoever makes them.
DERIVED = "derived"
#: Groups of statements in the order of the report, with the words for each.
GROUPS = {
    Author.PAPER.value: "The paper's statements",
    Author.FAMILY.value: "Statements of the family of papers",
    Author.RECALLED.value: "Statements as recalled from the family, not confirmed",
    Author.OURS.value: "Our statements",
    DERIVED: "Checks of our derivation",
}
#: The same in a cell of a table.
NAMES = {
    Author.PAPER.value: "the paper",
    Author.FAMILY.value: "its family",
    Author.RECALLED.value: "recalled",
    Author.OURS.value: "ours",
    DERIVED: "check of our derivation",
}
#: The columns that are printed; a file has all of them.
PRINTED = (
    "claim",
    "whose",
    "statement",
    "verdict",
    "measured",
    "bound",
    "looseness",
    "cases",
    "sees",
)
_COLUMNS = (*PRINTED, "missed_by", "reason")


def group(verdict: Verdict) -> str:
    """Return the key of :data:`GROUPS` that a verdict belongs to."""
    return DERIVED if verdict.derived else verdict.author.value


def looseness(verdict: Verdict) -> float | None:
    """Return how far a claim is from sharp; of one that fails there is nothing to say."""
    return None if verdict.conclusion is Conclusion.VIOLATED else verdict.looseness


def missed_by(verdict: Verdict) -> float | None:
    """Return by what factor a claim that fails misses its bound, where it has such a figure."""
    share = verdict.looseness
    failed = verdict.conclusion is Conclusion.VIOLATED
    return 1.0 / share if failed and share is not None and 0.0 < share < 1.0 else None


def digits(value: float | None) -> str:
    """Return a figure with three digits; empty where there is none."""
    return "" if value is None else f"{value:.3g}"


def sees(verdict: Verdict) -> str:
    """Return the smallest failure rate that a "holds" would have shown, as a share in percent.

    Empty where something failed, or nothing was measured: there is nothing to be missed.
    """
    if verdict.conclusion not in (Conclusion.HOLDS, Conclusion.EMPTY) or not verdict.cases:
        return ""
    return f"{100.0 * detectable_rate(verdict.cases):.2g}%"


def verdict_table(judged_claims: Iterable[JudgedClaim]) -> pd.DataFrame:
    """Return every verdict as a row, ``whose`` a key of :data:`GROUPS`."""
    rows = [
        {
            "claim": judged.id,
            "whose": group(verdict),
            "statement": verdict.statement,
            "verdict": verdict.conclusion.value,
            "measured": verdict.measured,
            "bound": verdict.bound,
            "looseness": looseness(verdict),
            "cases": verdict.cases,
            "sees": sees(verdict),
            "missed_by": missed_by(verdict),
            "reason": verdict.reason,
        }
        for judged in judged_claims
        for verdict in judged.verdicts
    ]
    return pd.DataFrame(rows, columns=list(_COLUMNS))


def write(judged_claims: Sequence[JudgedClaim], folder: Path) -> Path:
    """Write the table as ``verdicts.csv``, for whoever reads verdicts by program."""
    path = folder / "verdicts.csv"
    write_csv(verdict_table(judged_claims), path)
    return path
