"""Write figures, captions, data, tables and the page of a sweep into a folder."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from softres.common.errors import InputError
from softres.results.figures import labels
from softres.results.figures.style import drawing_with

if TYPE_CHECKING:
    from softres.results.figures.drawing import Drawing
    from softres.results.runs import Runs

__all__ = ["FORMATS", "formats", "write_drawing", "write_page", "write_tables"]

FORMATS = ("pdf", "png", "svg")
TABLE = "table"


def formats(text: str) -> list[str]:
    """Return the formats named in a list such as ``pdf,png``.

    Raises
    ------
    InputError
        If one is unknown, or none is named.
    """
    names = [name.strip() for name in text.split(",") if name.strip()]
    for name in names:
        if name not in FORMATS:
            raise InputError(f"--format {name}: allowed are {', '.join(FORMATS)}")
    if not names:
        raise InputError(f"--format: one or more of {', '.join(FORMATS)}")
    return list(dict.fromkeys(names))


def write_drawing(
    drawing: Drawing, folder: Path, kinds: Iterable[str], command: str = ""
) -> list[Path]:
    """Write a figure, its caption with the command that redraws it, and its data; close it."""
    import matplotlib.pyplot as plt

    from softres.results.writing.cells import write_csv

    paths = []
    # Without dates and random names: the same runs give the same files.
    plain = {"pdf": {"CreationDate": None}, "svg": {"Date": None}, "png": None}
    with drawing_with(drawing.size), plt.rc_context({"svg.hashsalt": drawing.name}):
        for kind in kinds:
            path = folder / f"{drawing.name}.{kind}"
            drawing.grid.figure.savefig(path, metadata=plain[kind])
            paths.append(path)
    plt.close(drawing.grid.figure)
    again = f"\nRedraw: {command}\n" if command else ""
    text = f"{labels.plain(drawing.caption)}\n{again}"
    paths.append(_write(folder / f"{drawing.name}.txt", text))
    write_csv(drawing.data, folder / f"{drawing.name}.csv")
    return [*paths, folder / f"{drawing.name}.csv"]


def write_tables(runs: Runs, folder: Path) -> list[Path]:
    """Write the summary as LaTeX, Markdown and CSV; nothing where no run is a solve."""
    from softres.results.figures.captions import table_caption
    from softres.results.writing.cells import write_csv
    from softres.results.writing.latex import latex_table
    from softres.results.writing.summary import markdown, summary

    table = summary(runs)
    if not len(table):
        return []
    caption = table_caption(runs)
    write_csv(table, folder / f"{TABLE}.csv")
    return [
        _write(folder / f"{TABLE}.tex", latex_table(table, caption, "tab:sweep")),
        _write(folder / f"{TABLE}.md", f"{markdown(table)}\n{labels.markdown(caption)}\n"),
        folder / f"{TABLE}.csv",
    ]


def write_page(
    drawings: Sequence[Drawing], folder: Path, kinds: Sequence[str], *, table: bool, command: str
) -> Path | None:
    """Write ``page.tex``; None where the figures have no format that LaTeX includes."""
    from softres.results.writing.page import latex_page

    kind = next((kind for kind in ("pdf", "png") if kind in kinds), None)
    if kind is None:
        return None
    text = latex_page(drawings, kind, table=TABLE if table else None, command=command)
    return _write(folder / "page.tex", text)


def _write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path
