"""The report as one HTML file that needs nothing else: figures are inside it."""

from __future__ import annotations

from base64 import b64encode
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from struct import unpack
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from experiments.kit.claim import Conclusion, Verdict
from experiments.report.agreement import Agreement
from experiments.report.collect import NO_RUNS
from experiments.report.facts import origin
from experiments.report.figures import Drawn, Kept
from experiments.report.page.front import SEES, sentences
from experiments.report.page.maths import mathml
from experiments.report.page.verdict_table import NAMES, group, looseness, sees
from experiments.report.section import Section

__all__ = ["render"]

#: Width over height from which a figure takes the page's whole width.
WIDE = 1.9


def render(
    sections: Sequence[Section],
    extra: Sequence[Section],
    profile: str,
    out: Path,
    agreement: Agreement,
) -> str:
    """Return the page: the claims, then sections without a verdict.

    Links to files are relative to ``out``.
    """
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined
    )
    environment.filters["maths"] = mathml
    runs = [run for section in (*sections, *extra) for run in section.judged.runs]
    return environment.get_template("page.html").render(
        title=f"{profile} profile",
        background=origin(runs) if runs else NO_RUNS,
        said=[*sentences([section.judged for section in sections]), *agreement.told],
        sees=SEES,
        sections=[_section(section, out) for section in sections],
        extra=[_section(section, out) for section in extra],
    )


def _section(section: Section, out: Path) -> dict[str, Any]:
    judged = section.judged
    claim = judged.claim
    return {
        "id": judged.id,
        "place": claim.place if claim else "",
        "statement": claim.statement if claim else "",
        "notes": [note for note in (judged.note, judged.gap) if note],
        "standing": judged.standing,
        "standing_words": _counted(judged.verdicts),
        # What holds is folded: a reader comes for what does not.
        "open": any(v.conclusion is not Conclusion.HOLDS for v in judged.verdicts)
        or not judged.verdicts,
        "verdicts": [_verdict(v, section.kept_for(v), out) for v in judged.verdicts],
        "figures": [_figure(drawn, out) for drawn in section.figures],
        "tables": [
            {
                "caption": tabled.caption,
                "columns": list(tabled.table.columns),
                "rows": tabled.table.to_numpy().tolist(),
                "tex": _link(tabled.tex, out),
            }
            for tabled in section.tables
        ],
        "command": section.command,
    }


def _verdict(verdict: Verdict, kept: Kept | None, out: Path) -> dict[str, Any]:
    return {
        "statement": verdict.statement,
        "whose": NAMES[group(verdict)],
        "word": verdict.conclusion.value,
        "kind": verdict.conclusion.name.lower(),
        "measured": verdict.measured,
        "bound": verdict.bound,
        "looseness": looseness(verdict),
        "cases": f"{verdict.cases:,}",
        "sees": sees(verdict),
        "reason": verdict.reason,
        "command": kept.command if kept else "",
        "file": _link(kept.file, out) if kept and kept.file else "",
    }


def _counted(verdicts: Sequence[Verdict]) -> str:
    """Return how many verdicts there are of each kind, such as ``5 hold, 1 violated``."""
    words = {"holds": "hold", "holds, but empty": "hold, but empty"}
    counts = Counter(verdict.conclusion.value for verdict in verdicts)
    return ", ".join(f"{count} {words.get(word, word)}" for word, count in counts.items())


def _figure(drawn: Drawn, out: Path) -> dict[str, Any]:
    content = drawn.png.read_bytes()
    width, height = unpack(">II", content[16:24])  # of PNG's first chunk
    return {
        "name": drawn.name,
        "data": b64encode(content).decode(),
        "caption": drawn.caption,
        "pdf": _link(drawn.pdf, out),
        "wide": width / height > WIDE,
    }


def _link(path: Path, out: Path) -> str:
    return path.relative_to(out).as_posix()
