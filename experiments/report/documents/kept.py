"""A kept report from its own files: its page is set anew without its runs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pandas as pd

from experiments.kit.claim import Author, Conclusion, Verdict
from experiments.kit.registry import claim, claim_ids
from experiments.kit.tables import unescaped
from experiments.report.agreement import Agreement
from experiments.report.collect import JudgedClaim
from experiments.report.documents.reference import ReferenceResults
from experiments.report.figures import Drawn, Kept, Tabled, stem
from experiments.report.page import html, markdown
from experiments.report.page.verdict_table import DERIVED
from experiments.report.runner import FIGURES_ONLY, has_sweep, reproduce
from experiments.report.section import Section

__all__ = ["kept_pages"]

#: Between two cells: a sign that is none of a text.
_BETWEEN = re.compile(r"(?<!\\)&")
_COUNTED = re.compile(r"(.+)_(\d+)")


def kept_pages(reference: ReferenceResults) -> dict[str, str]:
    """Return the page and the text of a kept report, by the file's name.

    Verdicts, sentences, figures, captions, tables and counterexamples are the kept ones; how they
    are set, and what the claims say, is of today. Nothing is judged or drawn again: what stands in
    for the words on a figure is its caption.
    """
    folder, about = reference.folder, reference.about
    table = pd.read_csv(folder / "verdicts.csv", dtype=str, keep_default_na=False)
    names = [name for name in claim_ids() if _has_part(folder, name, set(table["claim"]))]
    sections = [_section(folder, name, table, about["profile"]) for name in names]
    extra = [_section(folder, name, table, about["profile"]) for name in FIGURES_ONLY]
    headlines = about["headlines"]
    sections = [
        replace(made, judged=replace(made.judged, headline=headlines.get(made.judged.id, "")))
        for made in sections
    ]
    compared = about["profiles"]
    agreement = Agreement(
        compared["compared"], compared["conflicts"], compared["decided_by_one_only"]
    )
    commits = ", ".join(name[:10] for name in about["commits"])
    changed = about["runs_with_local_changes"]
    origin = f"{about['runs']} runs; commit{'s' * (len(about['commits']) > 1)} {commits}"
    origin += f", {changed} with local changes" if changed else ""
    pages = (sections, extra, about["profile"], folder, agreement, origin)
    return {"report.html": html.render(*pages), "report.md": markdown.render(*pages)}


def _has_part(folder: Path, name: str, judged: set[str]) -> bool:
    return name in judged or any(_files(folder / "figures", name, ".png"))


def _section(folder: Path, name: str, table: pd.DataFrame, profile: str) -> Section:
    verdicts = [_verdict(row) for _, row in table[table["claim"] == name].iterrows()]
    tested = claim(name) if name not in FIGURES_ONLY else None
    return Section(
        JudgedClaim(name, tested, verdicts=verdicts),
        figures=list(_figures(folder / "figures", name)),
        tables=list(_tables(folder / "tables", name)),
        kept=list(_counterexamples(folder / "counterexamples", name)),
        command=reproduce(name, profile) if has_sweep(name, profile) else "",
    )


def _verdict(row: pd.Series[str]) -> Verdict:
    derived = row["whose"] == DERIVED
    return Verdict(
        statement=row["statement"],
        conclusion=Conclusion(row["verdict"]),
        measured=row["measured"],
        bound=row["bound"],
        cases=int(row["cases"]),
        reason=row["reason"],
        looseness=float(row["looseness"]) if row["looseness"] else None,
        author=Author.OURS if derived else Author(row["whose"]),
        derived=derived,
    )


def _files(folder: Path, name: str, suffix: str) -> Iterator[Path]:
    """Yield a claim's files: those whose name begins with its id, and with no longer one."""
    others = [other for other in (*claim_ids(), *FIGURES_ONLY) if other.startswith(f"{name}_")]
    for path in sorted(folder.glob(f"{name}*{suffix}")):
        begins = path.stem == stem(name, path.stem.removeprefix(f"{name}_"))
        if begins and not any(path.stem == o or path.stem.startswith(f"{o}_") for o in others):
            yield path


def _figures(folder: Path, name: str) -> Iterator[Drawn]:
    for png in _files(folder, name, ".png"):
        caption = _text(png)
        yield Drawn(png.stem, png, png.with_suffix(".pdf"), caption, caption)


def _tables(folder: Path, name: str) -> Iterator[Tabled]:
    for tex in _files(folder, name, ".tex"):
        header, *rows = _cells(tex)
        yield Tabled(tex.stem, pd.DataFrame(rows, columns=header), tex, _text(tex))


def _cells(tex: Path) -> list[list[str]]:
    """Return the cells of a table that :func:`experiments.kit.tables.latex` wrote, header first."""
    text = tex.read_text(encoding="utf-8").replace("\\midrule\n", "")
    rows = text.partition("\\toprule\n")[2].partition("\\bottomrule")[0].split(" \\\\\n")
    return [[unescaped(cell.strip()) for cell in _BETWEEN.split(row)] for row in rows if row]


def _counterexamples(folder: Path, name: str) -> Iterator[Kept]:
    for path in _files(folder, name, ".txt"):
        found = _COUNTED.fullmatch(path.stem)
        if found and found[1] == name:
            statement, _, command = path.read_text(encoding="utf-8").splitlines()
            arrays = path.with_suffix(".npz")
            yield Kept(statement, command, arrays if arrays.is_file() else None)


def _text(path: Path) -> str:
    return path.with_suffix(".txt").read_text(encoding="utf-8").strip()
