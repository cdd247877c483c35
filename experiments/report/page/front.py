"""The first page: what the runs say of each author's statements, in sentences made from them."""

from __future__ import annotations

from collections.abc import Sequence

from experiments.kit.claim import Conclusion, Verdict
from experiments.report.collect import JudgedClaim
from experiments.report.figures import Tabled
from experiments.report.page.verdict_table import DERIVED, GROUPS, group
from experiments.report.section import Section

__all__ = ["COUNTED", "SEES", "counts", "sentences", "side_by_side"]

#: Claims whose headlines answer what a reader asks first, in the order of the page.
FIRST = ("regime", "basin")
#: The table of the first page, where it has two rows or more.
FIRST_TABLE = "theorems"
#: What stands below every table with the column.
SEES = (
    "Beside a “holds”, sees: the smallest failure rate that so many independent cases would have "
    "shown with 95% confidence."
)
#: What is said of several statements with a conclusion.
COUNTED = {
    Conclusion.HOLDS: "hold",
    Conclusion.EMPTY: "hold but are empty",
    Conclusion.VIOLATED: "violated",
    Conclusion.UNDECIDED: "not decided",
}

Judged = tuple[JudgedClaim, Verdict]


def sentences(judged_claims: Sequence[JudgedClaim]) -> list[tuple[str, list[str]]]:
    """Return pairs of a short title and what the runs say of it, a paragraph or a list."""
    page = [("In short", [_total(judged_claims), *counts(judged_claims)])]
    for key, title in GROUPS.items():
        found = _in_group(judged_claims, key)
        if found:
            page.append((title, _named(found)))
    compared = [judged.id for judged in judged_claims if judged.comparison and not judged.note]
    if compared:
        page.append(("Compared, not judged", [", ".join(compared) + "."]))
    gaps = [f"{judged.id}: {judged.gap}" for judged in judged_claims if judged.gap]
    if gaps:
        page.append(("Jobs without a finished run", gaps))
    by_id = {judged.id: judged for judged in judged_claims}
    rest = [name for name in by_id if name not in FIRST]
    for name in (*FIRST, *rest):
        told = by_id[name].headline if name in by_id else ""
        if told:
            page.append((name.replace("_", " ").capitalize(), [told]))
    return page


def side_by_side(sections: Sequence[Section]) -> Tabled | None:
    """Return the table that sets theorems side by side; ``None`` where fewer than two have runs."""
    tables = [table for section in sections for table in section.tables]
    found = next((table for table in tables if table.name == FIRST_TABLE), None)
    return found if found is not None and len(found.table) > 1 else None


def counts(judged_claims: Sequence[JudgedClaim]) -> list[str]:
    """Return how the statements of each author came out, a line for each that has some."""
    lines = []
    for key, title in GROUPS.items():
        found = [verdict for _, verdict in _in_group(judged_claims, key)]
        if not found:
            continue
        if key == DERIVED:
            held = sum(verdict.conclusion is Conclusion.HOLDS for verdict in found)
            lines.append(f"{title}: {held} of {len(found)} pass.")
            continue
        parts = [
            f"{sum(verdict.conclusion is conclusion for verdict in found)} {word}"
            for conclusion, word in COUNTED.items()
        ]
        lines.append(f"{title}: {', '.join(parts)}.")
    return lines


def _in_group(judged_claims: Sequence[JudgedClaim], key: str) -> list[Judged]:
    return [(c, verdict) for c in judged_claims for verdict in c.verdicts if group(verdict) == key]


def _total(judged_claims: Sequence[JudgedClaim]) -> str:
    verdicts = [verdict for judged in judged_claims for verdict in judged.verdicts]
    asked = [judged for judged in judged_claims if not judged.comparison]
    waiting = [judged.id for judged in asked if not judged.verdicts]
    text = (
        f"{len(verdicts)} statements from {len(asked) - len(waiting)} of {len(asked)} claims were "
        f"tested on {sum(verdict.cases for verdict in verdicts):,} cases."
    )
    return text + (f" Without a verdict so far: {', '.join(waiting)}." if waiting else "")


def _named(found: Sequence[Judged]) -> list[str]:
    """Name claims by conclusion; statements are spelt out where a reader must act."""
    texts = []
    for conclusion in (Conclusion.HOLDS, Conclusion.EMPTY, Conclusion.UNDECIDED):
        names = []
        for name in dict.fromkeys(judged.id for judged, _ in found):
            all_of_it = [verdict for judged, verdict in found if judged.id == name]
            some = sum(verdict.conclusion is conclusion for verdict in all_of_it)
            if some:
                part = "" if some == len(all_of_it) else f" ({some} of {len(all_of_it)})"
                names.append(name + part)
        if names:
            texts.append(f"{conclusion.value.capitalize()}: {', '.join(names)}.")
    return texts + [
        f"Violated, {judged.id}: {verdict.statement} (measured {verdict.measured}, "
        f"bound {verdict.bound})"
        for judged, verdict in found
        if verdict.conclusion is Conclusion.VIOLATED
    ]
