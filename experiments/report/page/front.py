"""The first page: what the runs say of each author's statements, in sentences made from them."""

from __future__ import annotations

from collections.abc import Sequence

from experiments.kit.claim import Conclusion, Verdict
from experiments.report.collect import Chapter
from experiments.report.page.verdict_table import DERIVED, GROUPS, group

__all__ = ["SEES", "counts", "sentences"]

#: Claims whose headlines answer what a reader asks first, in the order of the page.
FIRST = ("regime", "basin")
#: What stands below every table with the column.
SEES = (
    "Beside a “holds”, sees: the smallest failure rate that so many independent cases would have "
    "shown with 95% confidence."
)
_WORDS = {
    Conclusion.HOLDS: "hold",
    Conclusion.EMPTY: "hold but are empty",
    Conclusion.VIOLATED: "violated",
    Conclusion.UNDECIDED: "not decided",
}

Judged = tuple[Chapter, Verdict]


def sentences(chapters: Sequence[Chapter]) -> list[tuple[str, list[str]]]:
    """Return pairs of a short title and what the runs say of it, a paragraph or a list."""
    page = [("In short", [_total(chapters), *counts(chapters)])]
    for key, title in GROUPS.items():
        found = _in_group(chapters, key)
        if found:
            page.append((title, _named(found)))
    compared = [chapter.id for chapter in chapters if chapter.comparison and chapter.runs]
    if compared:
        page.append(("Compared, not judged", [", ".join(compared) + "."]))
    gaps = [f"{chapter.id}: {chapter.gap}" for chapter in chapters if chapter.gap]
    if gaps:
        page.append(("Jobs without a finished run", gaps))
    by_id = {chapter.id: chapter for chapter in chapters}
    rest = [name for name in by_id if name not in FIRST]
    for name in (*FIRST, *rest):
        told = by_id[name].headline if name in by_id else ""
        if told:
            page.append((name.replace("_", " ").capitalize(), [told]))
    return page


def counts(chapters: Sequence[Chapter]) -> list[str]:
    """Return how the statements of each author came out, a line for each that has some."""
    lines = []
    for key, title in GROUPS.items():
        found = [verdict for _, verdict in _in_group(chapters, key)]
        if not found:
            continue
        if key == DERIVED:
            held = sum(verdict.conclusion is Conclusion.HOLDS for verdict in found)
            lines.append(f"{title}: {held} of {len(found)} pass.")
            continue
        parts = [
            f"{sum(verdict.conclusion is conclusion for verdict in found)} {word}"
            for conclusion, word in _WORDS.items()
        ]
        lines.append(f"{title}: {', '.join(parts)}.")
    return lines


def _in_group(chapters: Sequence[Chapter], key: str) -> list[Judged]:
    return [(c, verdict) for c in chapters for verdict in c.verdicts if group(verdict) == key]


def _total(chapters: Sequence[Chapter]) -> str:
    verdicts = [verdict for chapter in chapters for verdict in chapter.verdicts]
    asked = [chapter for chapter in chapters if not chapter.comparison]
    waiting = [chapter.id for chapter in asked if not chapter.verdicts]
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
        for name in dict.fromkeys(chapter.id for chapter, _ in found):
            all_of_it = [verdict for chapter, verdict in found if chapter.id == name]
            some = sum(verdict.conclusion is conclusion for verdict in all_of_it)
            if some:
                part = "" if some == len(all_of_it) else f" ({some} of {len(all_of_it)})"
                names.append(name + part)
        if names:
            texts.append(f"{conclusion.value.capitalize()}: {', '.join(names)}.")
    return texts + [
        f"Violated, {chapter.id}: {verdict.statement} (measured {verdict.measured}, "
        f"bound {verdict.bound})"
        for chapter, verdict in found
        if verdict.conclusion is Conclusion.VIOLATED
    ]
