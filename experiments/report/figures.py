"""Write figures, tables and counterexamples as files, each with its caption beside it."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from experiments.kit import style
from experiments.kit.alt_text import alt_text
from experiments.kit.claim import Conclusion, Counterexample
from experiments.kit.tables import latex, shown
from experiments.report.collect import JudgedClaim
from experiments.report.facts import facts

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = [
    "Drawn",
    "Kept",
    "Tabled",
    "draw",
    "keep_counterexamples",
    "stem",
    "tabulate",
    "write",
]


@dataclass(frozen=True)
class Drawn:
    """A figure as files.

    Attributes
    ----------
    name
        Its file's stem, :func:`stem`.
    png, pdf
        The files.
    caption
        What it shows, and what is behind it.
    alt
        What is to be seen, for those who do not see it.
    """

    name: str
    png: Path
    pdf: Path
    caption: str
    alt: str


@dataclass(frozen=True)
class Tabled:
    """A table as text, with its LaTeX file."""

    name: str
    table: pd.DataFrame
    tex: Path
    caption: str


@dataclass(frozen=True)
class Kept:
    """A counterexample: the statement, the command, and its arrays where it has some."""

    statement: str
    command: str
    file: Path | None


def stem(claim: str, name: str) -> str:
    """Return ``<claim>_<name>``; the name alone where it begins with the claim's."""
    return name if name == claim or name.startswith(f"{claim}_") else f"{claim}_{name}"


def caption(judged: JudgedClaim, name: str) -> str:
    """Return the words of the claim's module, or the name, and the facts behind the figure."""
    words = judged.captions.get(name) or name.replace("_", " ").capitalize()
    return f"{words.rstrip('.')}. ({facts(judged.runs)}.)"


def draw(judged: JudgedClaim, folder: Path) -> list[Drawn]:
    """Draw a claim's figures as PDF and PNG, with the caption as text beside them."""
    if judged.claim is None or not judged.runs:
        return []
    figures = judged.claim.draw(judged.runs)
    return [write(judged, name, figure, folder) for name, figure in figures.items()]


def write(judged: JudgedClaim, name: str, figure: Figure, folder: Path) -> Drawn:
    """Write one figure and its caption."""
    file, alt = stem(judged.id, name), alt_text(figure)
    pdf, png = style.save(figure, folder, file)
    text = caption(judged, name)
    (folder / f"{file}.txt").write_text(text + "\n", encoding="utf-8")
    return Drawn(file, png, pdf, text, alt)


def tabulate(judged: JudgedClaim, folder: Path) -> list[Tabled]:
    """Write a claim's tables in LaTeX."""
    if judged.claim is None or not judged.runs:
        return []
    made = []
    for name, table in judged.claim.tables(judged.runs).items():
        text, file = caption(judged, name), stem(judged.id, name)
        made.append(Tabled(file, shown(table), latex(table, folder, file, text), text))
    return made


def keep_counterexamples(judged: JudgedClaim, folder: Path) -> list[Kept]:
    """Copy the arrays of a claim's counterexamples, each with the command that reproduces it."""
    violated = [v for v in judged.verdicts if v.conclusion is Conclusion.VIOLATED]
    return [
        _keep(f"{judged.id}_{number}", verdict.statement, verdict.counterexample, folder)
        for number, verdict in enumerate(violated, start=1)
        if verdict.counterexample is not None
    ]


def _keep(file: str, statement: str, found: Counterexample, folder: Path) -> Kept:
    folder.mkdir(parents=True, exist_ok=True)
    copy = None
    if found.artifact:
        try:
            copy = Path(shutil.copyfile(found.run.artifact(found.artifact), folder / f"{file}.npz"))
        except OSError:
            copy = None  # the command still reproduces it
    lines = [statement, f"run {found.run.run_id} ({found.run.name})", found.command]
    (folder / f"{file}.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return Kept(statement, found.command, copy)
