"""README's table of verdicts, and every claim on a page with its figures."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pandas as pd

from experiments.kit.claim import Conclusion
from experiments.kit.registry import claim, claim_ids
from experiments.report.documents.reference import ReferenceResults
from experiments.report.page.markdown import plain
from experiments.report.page.maths import dollars
from experiments.report.page.verdict_table import DERIVED, NAMES

__all__ = ["claim_sections", "verdict_table"]

#: What is told of a claim, the first that there is: worst first.
_WORST = (Conclusion.VIOLATED, Conclusion.UNDECIDED, Conclusion.EMPTY, Conclusion.HOLDS)
#: The paper's statements in a few words, by claim; of others the claim's own sentence is told.
_SENTENCES = {
    "gradient": "The closed form of the gradient",
    "hessian": "The closed form of the Hessian",
    "low_rank_plus_diagonal": "The curvature is diagonal plus low rank",
    "psd": "Its Gauss-Newton part B1 is positive semidefinite",
    "basic_bounds": "exp(Ax) and what is made of it are bounded",
    "basic_lipschitz": "... and Lipschitz",
    "hessian_lipschitz": "The Hessian is Lipschitz, with constant M",
    "sandwich": "With weights that large W^2 is B + W^2 within a tenth",
    "sparsifier": "Few rows, drawn by leverage scores, keep A^T D A within eps0",
    "shrinking": "A step shrinks the error, in l2, by 2 (eps0 + rbar / (l - rbar))",
    "induction": "Every step of a run contracts by 0.4 in l2",
    "iterations": "O(log(|x0 - x*| / eps)) steps reach eps",
    "literal": "Algorithm 1 to the letter contracts by 0.4 and reaches eps in T steps",
    "repaired": "From the starts of our repaired theorem, too, it contracts by 0.4 in l2",
    "success_probability": "It fails with probability delta at most",
    "cost_per_iteration": "A step costs nnz(A) + d^omega, but for logarithms",
    "regime": "Within the assumptions H >= l I, and every step contracts by 0.4 in l2",
    "basin": "From every start with M |x0 - x*| <= 0.1 l a step contracts by 0.4 in l2",
}
#: Where the paper says it, without what is said of that; what stands in brackets in a figure.
_PLACE = re.compile(r"(?:Lemmas?|Theorem|Algorithm) [\w.]+(?:(?: and |, | to |-)[A-Z]?\d?\.\d+)*")
_ASIDE = re.compile(r" \([^)]*\)")
#: An alternative text ends at a bracket.
_NO_BRACKETS = str.maketrans("[]", "()")
#: Whose statements a reader of the paper asks for; of these the first that there are.
_THEIRS = ("paper", "family", "recalled")


def verdict_table(reference: ReferenceResults) -> str:
    """Return a Markdown table: of each of the paper's statements what holds, breaks, by how much.

    A row a claim. Where the paper's own statement could not be judged, its family's is, and where
    that could not, what is recalled of it; the verdict then says so. Of several statements the
    worst verdict counts, with the figures of the one that is nearest to its bound or beyond.
    """
    lines = ["| The paper says | In | Verdict | Measured | Allowed |", "|---|---|---|---|---|"]
    for name in _claims(reference.verdicts):
        found = reference.verdicts[reference.verdicts["claim"] == name]
        whose = next((key for key in _THEIRS if (found["whose"] == key).any()), None)
        if whose is None:
            continue
        rows = found[found["whose"] == whose]
        worst = next(one for one in _WORST if (rows["verdict"] == one.value).any())
        told = rows[rows["verdict"] == worst.value].sort_values("looseness").iloc[0]
        count = f" ({(rows['verdict'] == worst.value).sum()} of {len(rows)})"
        verdict = f"**{worst.value}**" if worst is not Conclusion.HOLDS else worst.value
        verdict += count if len(rows) > 1 else ""
        verdict += "" if whose == "paper" else f", {NAMES[whose]}"
        one = claim(name)
        cells = (
            _SENTENCES.get(name, one.statement.rstrip(".")),
            next(iter(_PLACE.findall(one.place)), one.place),
            verdict,
            _ASIDE.sub("", str(told["measured"])),
            _ASIDE.sub("", str(told["bound"])),
        )
        lines.append(_row(cells, raw=(2,)))
    return "\n".join(lines)


def claim_sections(reference: ReferenceResults, root: str) -> str:
    """Return a section for every claim: its verdicts, what it says in a sentence, its figures.

    Parameters
    ----------
    reference
        The kept results.
    root
        The project's root from the document, such as ``"../../"``.
    """
    table = pd.concat([reference.verdicts, reference.real_verdicts])
    sections = [_section(name, reference, table, root) for name in claim_ids()]
    return "\n\n".join(filter(None, sections))


def _section(name: str, reference: ReferenceResults, table: pd.DataFrame, root: str) -> str:
    rows, told = table[table["claim"] == name], reference.headlines.get(name)
    if rows.empty and told is None:
        return ""
    one = claim(name)
    lines = [
        f"## `{name}`",
        "",
        f"*{one.place}.* {dollars(one.statement, plain)}",
        "",
    ]
    lines += [plain(told), ""] if told else []
    checks = rows[rows["whose"] == DERIVED]
    others = rows[rows["whose"] != DERIVED]
    if len(others):
        lines += [
            "| Whose | Statement | Verdict | Measured | Bound | Cases |",
            "|---|---|---|---|---|---|",
        ]
        for _, row in others.iterrows():
            verdict = str(row["verdict"])
            shown = verdict if verdict == Conclusion.HOLDS.value else f"**{verdict}**"
            cells = (
                NAMES[str(row["whose"])],
                row["statement"],
                shown,
                row["measured"],
                row["bound"],
                f"{row['cases']:,}",
            )
            lines.append(_row(cells, raw=(2,)))
        lines.append("")
    if len(checks):
        passed = int((checks["verdict"] == Conclusion.HOLDS.value).sum())
        lines += [f"Checks of our own derivation: {passed} of {len(checks)} pass.", ""]
    for figure in sorted((reference.folder / "figures").glob(f"{name}*.png")):
        if _claim_of(figure.stem) != name:
            continue
        caption = figure.with_suffix(".txt").read_text(encoding="utf-8").strip()
        path = f"{root}results/reference/figures/{figure.name}"
        words = caption.partition(". ")[0].rstrip(".").translate(_NO_BRACKETS)
        lines += [f"![{plain(words)}]({path})", "", f"*{plain(caption)}*", ""]
    return "\n".join(lines).rstrip()


def _claim_of(figure: str) -> str:
    """Return the claim that a figure's file belongs to: the longest name that it begins with."""
    named = (name for name in claim_ids() if f"{figure}_".startswith(f"{name}_"))
    return max(named, key=len, default="")


def _claims(verdicts: pd.DataFrame) -> Iterator[str]:
    there = set(verdicts["claim"])
    yield from (name for name in claim_ids() if name in there)


def _row(cells: tuple[Any, ...], raw: tuple[int, ...] = ()) -> str:
    shown = (
        str(cell) if k in raw else plain(str(cell)).replace("|", "\\|")
        for k, cell in enumerate(cells)
    )
    return f"| {' | '.join(shown)} |"
