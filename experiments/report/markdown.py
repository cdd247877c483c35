"""The report as Markdown, for a repository's page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from experiments.claim import Verdict
from experiments.report.figures import Kept
from experiments.report.front import sentences
from experiments.report.section import Section

__all__ = ["render"]


def render(sections: Sequence[Section], extra: Sequence[Section], profile: str, out: Path) -> str:
    """Return the text: the claims, then sections without a verdict.

    Links to files are relative to ``out``.
    """
    chapters = [section.chapter for section in sections]
    lines = [
        "# Does the theory hold in practice?",
        "",
        "softres tests *A Unified Scheme of ResNet and Softmax* (arXiv 2309.13482), statement by "
        f"statement. Computed from logged runs of the {profile} profile; `report.html` has the "
        "same with its figures inside.",
        "",
    ]
    for title, texts in sentences(chapters):
        if len(texts) == 1:
            lines += [f"**{title}.** {_plain(texts[0])}", ""]
        else:
            lines += [f"**{title}**", "", *(f"- {_plain(text)}" for text in texts), ""]
    lines += ["## Verdicts", ""]
    header = ["Claim", "Statement", "Verdict", "Measured", "Bound", "Looseness", "Cases"]
    rows: list[list[str]] = []
    for chapter in chapters:
        link = chapter.id
        rows += [
            [
                link,
                verdict.statement,
                f"**{verdict.conclusion.value}**",
                verdict.measured,
                verdict.bound,
                "" if verdict.looseness is None else f"{verdict.looseness:.3g}",
                f"{verdict.cases:,}",
            ]
            for verdict in chapter.verdicts
        ] or [[link, "", chapter.note or "no verdict", "", "", "", ""]]
    lines += [*_table(header, rows), ""]
    for section in (*sections, *extra):
        lines += _section(section, out)
    return "\n".join(lines).rstrip() + "\n"


def _section(section: Section, out: Path) -> list[str]:
    chapter = section.chapter
    lines = [f"## {chapter.id}", ""]
    if chapter.claim is not None:
        lines += [f"*{chapter.claim.place}.* {_plain(chapter.claim.statement)}", ""]
    if chapter.note:
        lines += [_plain(chapter.note), ""]
    for verdict in chapter.verdicts:
        lines += _verdict(verdict, section.kept_for(verdict), out)
    for drawn in section.figures:
        path = drawn.png.relative_to(out).as_posix()
        lines += [f"![{drawn.name}]({path})", "", _plain(drawn.caption), ""]
    for tabled in section.tables:
        columns = [str(column) for column in tabled.table.columns]
        lines += [_plain(tabled.caption), "", *_table(columns, tabled.table.to_numpy().tolist())]
        lines += [""]
    if section.command:
        lines += ["```sh", section.command, "```", ""]
    return lines


def _verdict(verdict: Verdict, kept: Kept | None, out: Path) -> list[str]:
    measured = f"measured {verdict.measured}" + (
        f", bound {verdict.bound}" if verdict.bound else ""
    )
    lines = [
        f"- **{verdict.conclusion.value}**: {_plain(verdict.statement)}: {_plain(measured)} "
        f"({verdict.cases:,} cases). {_plain(verdict.reason)}",
        "",
    ]
    if kept is not None:
        file = f" ({kept.file.relative_to(out).as_posix()})" if kept.file else ""
        lines += [f"  Counterexample{file}: `{kept.command}`", ""]
    return lines


def _table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    def line(cells: Iterable[object]) -> str:
        return "| " + " | ".join(_plain(str(cell)).replace("|", "\\|") for cell in cells) + " |"

    return [line(header), "|" + " --- |" * len(header), *(line(row) for row in rows)]


def _plain(text: str) -> str:
    """Keep signs of mathematics from being read as Markdown."""
    return text.replace("<", "&lt;").replace("_", "\\_").replace("\n", " ")
