"""The first page: what the runs say, in sentences made from them."""

from __future__ import annotations

from collections.abc import Sequence

from experiments.claim import Conclusion
from experiments.report.collect import Chapter, count

__all__ = ["sentences"]

#: Claims whose headlines answer what a reader asks first, in the order of the page.
FIRST = ("regime", "basin")


def sentences(chapters: Sequence[Chapter]) -> list[tuple[str, list[str]]]:
    """Return pairs of a short title and what the runs say of it, a paragraph or a list."""
    total = sum(len(chapter.verdicts) for chapter in chapters)
    waiting = [chapter.id for chapter in chapters if not chapter.verdicts]
    page = [("In short", [_counts(chapters, total, waiting)])]
    for conclusion, title in (
        (Conclusion.HOLDS, "What holds"),
        (Conclusion.EMPTY, "What holds but is empty"),
        (Conclusion.VIOLATED, "What is violated"),
        (Conclusion.UNDECIDED, "What the runs do not decide"),
    ):
        text = _named(chapters, conclusion)
        if text:
            page.append((title, text))
    by_id = {chapter.id: chapter for chapter in chapters}
    rest = [name for name in by_id if name not in FIRST]
    for name in (*FIRST, *rest):
        told = by_id[name].headline if name in by_id else ""
        if told:
            page.append((name.replace("_", " ").capitalize(), [told]))
    return page


def _counts(chapters: Sequence[Chapter], total: int, waiting: Sequence[str]) -> str:
    parts = [
        f"{count(chapters, conclusion)} {word}"
        for conclusion, word in (
            (Conclusion.HOLDS, "hold"),
            (Conclusion.EMPTY, "hold but empty"),
            (Conclusion.VIOLATED, "violated"),
            (Conclusion.UNDECIDED, "not decided"),
        )
    ]
    cases = sum(verdict.cases for chapter in chapters for verdict in chapter.verdicts)
    judged = len(chapters) - len(waiting)
    text = (
        f"{total} statements from {judged} of {len(chapters)} claims were tested on {cases:,} "
        f"cases. Verdicts: {', '.join(parts)}."
    )
    return text + (f" Without a verdict so far: {', '.join(waiting)}." if waiting else "")


def _named(chapters: Sequence[Chapter], conclusion: Conclusion) -> list[str]:
    """Name the claims with such verdicts; statements are spelt out where a reader must act."""
    found = {
        chapter.id: [v for v in chapter.verdicts if v.conclusion is conclusion]
        for chapter in chapters
    }
    found = {name: verdicts for name, verdicts in found.items() if verdicts}
    if conclusion is Conclusion.VIOLATED:
        return [
            f"{name}: {verdict.statement} (measured {verdict.measured}, bound {verdict.bound})"
            for name, verdicts in found.items()
            for verdict in verdicts
        ]
    texts = []
    for chapter in chapters:
        if chapter.id in found:
            some, all_of_it = len(found[chapter.id]), len(chapter.verdicts)
            texts.append(chapter.id + ("" if some == all_of_it else f" ({some} of {all_of_it})"))
    return [", ".join(texts) + "."] if texts else []
