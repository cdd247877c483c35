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
from experiments.report.figures import Drawn, Kept, Tabled
from experiments.report.page.front import COUNTED, SEES, sentences, side_by_side
from experiments.report.page.maths import mathml
from experiments.report.page.verdict_table import NAMES, digits, group, looseness, sees
from experiments.report.section import Section

__all__ = ["render"]

#: Width over height from which a figure takes the page's whole width.
WIDE = 1.9
#: The figure that answers what a reader asks first: where the theorem's conclusions end.
FIRST_FIGURE = "regime_frontier"
#: Tables of more rows are folded: nobody reads on past them, and print leaves them out.
SHORT = 15


def render(
    sections: Sequence[Section],
    extra: Sequence[Section],
    profile: str,
    out: Path,
    agreement: Agreement,
    origin: str,
) -> str:
    """Return the page: the claims, then sections without a verdict.

    Links to files are relative to ``out``; ``origin`` says which runs are behind it all.
    """
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined
    )
    environment.filters["maths"] = mathml
    (_, short), *said = sentences([section.judged for section in sections])
    first, beside = _first_figure(sections), side_by_side(sections)
    return environment.get_template("page.html").render(
        title=f"{profile} profile",
        background=origin,
        short=short,
        first=_figure(first, out) if first else None,
        beside=_table(beside, out) if beside else None,
        said=[*said, *agreement.told],
        sees=SEES,
        sections=[_section(section, out) for section in sections],
        extra=[_section(section, out) for section in extra],
    )


def _first_figure(sections: Sequence[Section]) -> Drawn | None:
    """Return the figure of the first page, or where there are no runs for it the first there is."""
    drawn = [figure for section in sections for figure in section.figures]
    return next(
        (figure for figure in drawn if figure.name == FIRST_FIGURE), next(iter(drawn), None)
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
        "counts": _counted(judged.verdicts),
        # What holds is folded: a reader comes for what does not.
        "open": any(v.conclusion is not Conclusion.HOLDS for v in judged.verdicts)
        or not judged.verdicts,
        "verdicts": [_verdict(v, section.kept_for(v), out) for v in judged.verdicts],
        "figures": [_figure(drawn, out) for drawn in section.figures],
        "tables": [_table(tabled, out) for tabled in section.tables],
        "command": section.command,
    }


def _table(tabled: Tabled, out: Path) -> dict[str, Any]:
    return {
        "caption": tabled.caption,
        "columns": list(tabled.table.columns),
        "rows": tabled.table.to_numpy().tolist(),
        "folded": len(tabled.table) > SHORT,
        "tex": _link(tabled.tex, out),
    }


def _verdict(verdict: Verdict, kept: Kept | None, out: Path) -> dict[str, Any]:
    return {
        "statement": verdict.statement,
        "whose": NAMES[group(verdict)],
        "word": verdict.conclusion.value,
        "kind": verdict.conclusion.name.lower(),
        "measured": verdict.measured,
        "bound": verdict.bound,
        "looseness": digits(looseness(verdict)),
        "cases": f"{verdict.cases:,}",
        "sees": sees(verdict),
        "reason": verdict.reason,
        "command": kept.command if kept else "",
        "file": _link(kept.file, out) if kept and kept.file else "",
    }


def _counted(verdicts: Sequence[Verdict]) -> list[dict[str, str]]:
    """Return how many verdicts there are of each kind, such as ``5 hold``, and its class."""
    counts = Counter(verdict.conclusion for verdict in verdicts)
    return [
        {"kind": conclusion.name.lower(), "text": f"{counts[conclusion]} {COUNTED[conclusion]}"}
        for conclusion in Conclusion
        if counts[conclusion]
    ]


def _figure(drawn: Drawn, out: Path) -> dict[str, Any]:
    content = drawn.png.read_bytes()
    width, height = unpack(">II", content[16:24])  # of PNG's first chunk
    return {
        "name": drawn.name,
        "data": b64encode(content).decode(),
        "caption": drawn.caption,
        "alt": drawn.alt,
        "pdf": _link(drawn.pdf, out),
        "wide": width / height > WIDE,
    }


def _link(path: Path, out: Path) -> str:
    return path.relative_to(out).as_posix()
