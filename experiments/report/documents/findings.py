"""The findings: sentences with the figures of a kept report, each saying whose statement."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from experiments.claims.closed_forms.references import DIGITS
from experiments.kit.claim import Conclusion
from experiments.race.findings import power, race_sentences, span, step_sentences
from experiments.report.documents.reference import ReferenceResults
from experiments.report.page.markdown import plain
from experiments.report.page.verdict_table import DERIVED

__all__ = ["findings", "made_with"]

REPORT = "results/reference/report.md"
RACE = "results/reference/benchmark/race.md"
STEP_COSTS = "results/reference/step_cost/step_cost.csv"
_WORDS = {
    Conclusion.HOLDS.value: "hold",
    Conclusion.EMPTY.value: "hold but are empty",
    Conclusion.VIOLATED.value: "violated",
    Conclusion.UNDECIDED.value: "not decided",
}
#: How a group's statements are spoken of.
_WHOSE = {
    "paper": "the paper's own",
    "family": "its family's",
    "recalled": "recalled from the family",
    "ours": "ours",
    DERIVED: "derived here",
}
#: The claims' own sentences that are findings, with what stands before them.
_TOLD = {"regime": "What the weights leave", "basin": "The basin", "unification": "Unification"}


def findings(reference: ReferenceResults, root: str = "") -> str:
    """Return the findings as Markdown: an introduction and a list.

    Parameters
    ----------
    reference
        The kept results.
    root
        The project's root from the document, for links, such as ``"../../"``.
    """
    verdicts = reference.verdicts
    items = [*_proven(verdicts), *_violated(verdicts), *_rest(verdicts)]
    items += [
        f"**{title}.** {plain(reference.headlines[name])}"
        for name, title in _TOLD.items()
        if name in reference.headlines
    ]
    items += [*_steps(reference), *_race(reference), *_real(reference)]
    text = "\n".join([_intro(reference), "", *(f"- {item}" for item in items)])
    return text.replace("](results/", f"]({root}results/")


def _intro(reference: ReferenceResults) -> str:
    verdicts, about = reference.verdicts, reference.about
    parts = []
    for key, words in _WHOSE.items():
        found = verdicts[verdicts["whose"] == key]
        if key == DERIVED and len(found):
            passed = int((found["verdict"] == Conclusion.HOLDS.value).sum())
            parts.append(f"checks of our derivation: {passed} of {len(found)} pass")
        elif len(found):
            parts.append(f"{words}: {_counts(found)}")
    return (
        f"From {about['runs']} runs ([report]({REPORT}); {made_with(about)}), {len(verdicts)} "
        f"statements on {int(verdicts['cases'].sum()):,} cases. Whose they are: {'; '.join(parts)}."
    )


def made_with(about: Mapping[str, Any]) -> str:
    """Return the one commit of all runs, or every commit, and whether there were changes."""
    names = ", ".join(sorted(name[:10] for name in about["commits"]))
    changed = about["runs_with_local_changes"]
    text = f"commit{'s' * (len(about['commits']) > 1)} {names}"
    return f"{text}, {changed} runs with local changes" if changed else text


def _counts(verdicts: pd.DataFrame) -> str:
    numbers = ((int((verdicts["verdict"] == one).sum()), word) for one, word in _WORDS.items())
    return ", ".join(f"{count} {word}" for count, word in numbers if count)


def _proven(verdicts: pd.DataFrame) -> Iterator[str]:
    """Yield sentences on what holds, each only while all that it speaks of does."""

    def held(claim: str, whose: str | None = None) -> pd.DataFrame:
        rows = verdicts[verdicts["claim"] == claim]
        rows = rows if whose is None else rows[rows["whose"] == whose]
        fine = rows["verdict"].isin([Conclusion.HOLDS.value, Conclusion.EMPTY.value])
        return rows if fine.all() else rows[:0]

    first, second = held("gradient"), held("hessian")
    if len(first) and len(second):
        errors = [power(_numbers(rows, "relative error").max()) for rows in (first, second)]
        yield (
            "**Closed forms.** Gradient and Hessian, the paper's and its family's, agree with "
            f"automatic differentiation and {DIGITS}-digit arithmetic to {errors[0]} and "
            f"{errors[1]}; so do ours for every other problem."
        )
    rank = held("low_rank_plus_diagonal")
    if len(rank):
        yield (
            "**Low rank plus diagonal, the paper's.** It holds, and the rank is two: the third "
            f"eigenvalue is at most {power(_numbers(rank[:1], '').max())} of the first."
        )
    for key, words in _WHOSE.items():
        steps = held("iterations", key)
        slopes = _numbers(steps, "slope")
        if len(slopes):
            yield (
                f"**Steps, {words}.** T grows with the logarithm of the accuracy: {span(slopes)} "
                f"steps a nat, where {span(_numbers(steps, '', 'bound'))} are allowed."
            )


def _numbers(rows: pd.DataFrame, before: str, column: str = "measured") -> pd.Series[float]:
    """Return the number that follows some words in a column."""
    pattern = re.escape(before) + r"\s*([-+]?\d[\d,]*\.?\d*(?:e[-+]?\d+)?)"
    found = rows[column].astype(str).str.extract(pattern, expand=False)
    return found.dropna().str.replace(",", "").astype(float)


def _violated(verdicts: pd.DataFrame) -> Iterator[str]:
    """Yield what is violated, by author: of every claim the worst statement with its figures."""
    broken = verdicts[verdicts["verdict"] == Conclusion.VIOLATED.value]
    for key, words in _WHOSE.items():
        lines = []
        for name, rows in broken[broken["whose"] == key].groupby("claim", sort=False):
            whole = verdicts[(verdicts["whose"] == key) & (verdicts["claim"] == name)]
            worst = rows.sort_values("missed_by", ascending=False).iloc[0]
            told = f"  - {str(name).replace('_', ' ')}, {len(rows)} of {len(whole)}: "
            lines.append(told + _figures(worst))
        if lines:
            yield "\n".join([f"**Violated, {words}.** Of each claim the worst:", *lines])


def _figures(row: pd.Series[Any]) -> str:
    bound = f", bound {plain(str(row['bound']))}" if row["bound"] else ""
    return f"{plain(str(row['statement']))} (measured {plain(str(row['measured']))}{bound})"


def _rest(verdicts: pd.DataFrame) -> Iterator[str]:
    """Yield which claims hold, are empty, and are not decided, by author."""
    for conclusion, title in (
        (Conclusion.HOLDS, "Holds"),
        (Conclusion.EMPTY, "Empty: it holds and says nothing"),
        (Conclusion.UNDECIDED, "Not decided"),
    ):
        parts = []
        for key, words in _WHOSE.items():
            of_it = verdicts[verdicts["whose"] == key]
            found = of_it[of_it["verdict"] == conclusion.value]
            names = [
                f"{str(name).replace('_', ' ')} ({len(rows)} of {(of_it['claim'] == name).sum()})"
                for name, rows in found.groupby("claim", sort=False)
            ]
            if names:
                parts.append(f"{words}: {', '.join(names)}")
        if parts:
            text = "; ".join(parts)
            yield f"**{title}.** {text[0].upper()}{text[1:]}."


def _steps(reference: ReferenceResults) -> Iterator[str]:
    told = " ".join(step_sentences(reference.step_cost, reference.exponents))
    yield (
        "**What sharing pays, a comparison.** Steps of Algorithm 1 (safeguarded) that share "
        f"scores and samples ([figures]({STEP_COSTS}), `scripts/step_cost.py`). {told}"
    )


def _race(reference: ReferenceResults) -> Iterator[str]:
    told = " ".join(race_sentences(reference.medians))
    yield f"**Solving it fast, a comparison** ([race]({RACE})). {told}"


def _real(reference: ReferenceResults) -> Iterator[str]:
    verdicts = reference.real_verdicts
    if verdicts.empty:
        return
    told = plain(reference.headlines.get("large_data", ""))
    broken = verdicts[verdicts["verdict"] == Conclusion.VIOLATED.value]
    counts = f"Of {len(verdicts)} statements {_counts(verdicts)}. {told}".strip()
    lines = [f"**On real data** ([report]({reference.real_report})). {counts}"]
    for _, row in broken.iterrows():
        lines.append(f"  - violated, {_WHOSE[str(row['whose'])]}: {_figures(row)}")
    yield "\n".join(lines)
