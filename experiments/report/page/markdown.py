"""The report as Markdown, for a repository's page."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from experiments.kit.claim import Verdict
from experiments.report.agreement import Agreement
from experiments.report.collect import JudgedClaim
from experiments.report.figures import Kept, Tabled
from experiments.report.page.front import SEES, sentences, side_by_side
from experiments.report.page.maths import dollars
from experiments.report.page.verdict_table import NAMES, digits, group, looseness, sees
from experiments.report.section import Section

__all__ = ["plain", "render"]

_HEADER = (
    "Claim",
    "Whose",
    "Statement",
    "Verdict",
    "Measured",
    "Bound",
    "Looseness",
    "Cases",
    "Sees",
)


def render(
    sections: Sequence[Section],
    extra: Sequence[Section],
    profile: str,
    out: Path,
    agreement: Agreement,
    origin: str,
) -> str:
    """Return the text: the claims, then sections without a verdict.

    Links to files are relative to ``out``; ``origin`` says which runs are behind it all.
    """
    judged_claims = [section.judged for section in sections]
    lines = [
        "# Does the theory hold in practice?",
        "",
        "softres tests *A Unified Scheme of ResNet and Softmax* (arXiv 2309.13482), statement by "
        f"statement. Computed from logged runs of the {profile} profile ({origin}); "
        "`report.html` has the same with its figures inside.",
        "",
    ]
    for title, texts in [*sentences(judged_claims), *agreement.told]:
        if len(texts) == 1:
            lines += [f"**{title}.** {plain(texts[0])}", ""]
        else:
            lines += [f"**{title}**", "", *(f"- {plain(text)}" for text in texts), ""]
    beside = side_by_side(sections)
    if beside is not None:
        lines += ["## Theorems side by side", "", *_tabled(beside), ""]
    lines += ["## Verdicts", ""]
    lines += [*_table(_HEADER, _rows(judged_claims)), "", SEES, ""]
    for section in (*sections, *extra):
        lines += _section(section, out)
    return "\n".join(lines).rstrip() + "\n"


def _rows(judged_claims: Sequence[JudgedClaim]) -> list[list[str]]:
    rows: list[list[str]] = []
    for judged in judged_claims:
        rows += [
            [
                judged.id,
                NAMES[group(verdict)],
                verdict.statement,
                f"**{verdict.conclusion.value}**",
                verdict.measured,
                verdict.bound,
                digits(looseness(verdict)),
                f"{verdict.cases:,}",
                sees(verdict),
            ]
            for verdict in judged.verdicts
        ] or [[judged.id, "", "", judged.standing, *[""] * 5]]
    return rows


def _section(section: Section, out: Path) -> list[str]:
    judged = section.judged
    lines = [f"## {judged.id}", ""]
    if judged.claim is not None:
        lines += [f"*{judged.claim.place}.* {dollars(judged.claim.statement, plain)}", ""]
    for note in filter(None, (judged.note, judged.gap)):
        lines += [plain(note), ""]
    for verdict in judged.verdicts:
        lines += _verdict(verdict, section.kept_for(verdict), out)
    for drawn in section.figures:
        path = drawn.png.relative_to(out).as_posix()
        lines += [f"![{_alt(drawn.alt)}]({path})", "", plain(drawn.caption), ""]
    for tabled in section.tables:
        lines += [*_tabled(tabled), ""]
    if section.command:
        lines += ["```sh", section.command, "```", ""]
    return lines


def _tabled(tabled: Tabled) -> list[str]:
    columns = [str(column) for column in tabled.table.columns]
    return [plain(tabled.caption), "", *_table(columns, tabled.table.to_numpy().tolist())]


def _verdict(verdict: Verdict, kept: Kept | None, out: Path) -> list[str]:
    measured = f"measured {verdict.measured}" + (
        f", bound {verdict.bound}" if verdict.bound else ""
    )
    seen = f"; sees {sees(verdict)}" if sees(verdict) else ""
    lines = [
        f"- **{verdict.conclusion.value}** ({NAMES[group(verdict)]}): "
        f"{dollars(verdict.statement, plain)}: "
        f"{plain(measured)} ({verdict.cases:,} cases{seen}). {plain(verdict.reason)}",
        "",
    ]
    if kept is not None:
        file = f" ({kept.file.relative_to(out).as_posix()})" if kept.file else ""
        lines += [f"  Counterexample{file}: {_code(kept.command)}", ""]
    return lines


def _table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    def line(cells: Iterable[object]) -> str:
        return "| " + " | ".join(plain(str(cell)).replace("|", "\\|") for cell in cells) + " |"

    return [line(header), "|" + " --- |" * len(header), *(line(row) for row in rows)]


def _code(text: str) -> str:
    """Return a text as code, between more backticks than it holds in a row."""
    fence = "`" * (1 + max(map(len, re.findall("`+", text)), default=0))
    room = " " if "`" in text else ""
    return f"{fence}{room}{text}{room}{fence}"


def _alt(text: str) -> str:
    return plain(text).replace("[", "(").replace("]", ")")


def plain(text: str) -> str:
    """Keep signs of mathematics, and what others wrote, from being read as Markdown."""
    text = re.sub(r"[\\`]|(?<=\])\(", r"\\\g<0>", text)
    return text.replace("<", "&lt;").replace("_", "\\_").replace("\n", " ")
