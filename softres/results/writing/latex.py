"""The summary as a LaTeX table: booktabs, aligned at the decimal, no wider than the text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from softres.results.figures import labels
from softres.results.methods import METHOD
from softres.results.writing.summary import Cell, cells, measures_of

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["latex_table"]

#: Rows that fit a page.
_ROWS = 40
_WIDTH = r"\ifdim\width>\linewidth\linewidth\else\width\fi"


def latex_table(table: pd.DataFrame, caption: str, label: str) -> str:
    r"""Return ``table`` environments, as many as pages are needed.

    They take the packages booktabs and graphicx. A number is set as two columns that meet at its
    decimal point, and a table wider than the text is scaled down to it.

    Parameters
    ----------
    table
        The summary of a sweep.
    caption
        With maths between dollars.
    label
        For ``\ref``.
    """
    keys = list(table.columns[: list(table.columns).index(METHOD) + 1])
    measures = measures_of(table)
    columns = [cells(table, measure) for measure in measures]
    heads = [labels.latex(labels.symbol(key)) for key in keys]
    heads += [rf"\multicolumn{{3}}{{c}}{{{labels.latex(m.title)}}}" for m in measures]
    form = "l" * len(keys) + "r@{}l@{\\ \\ }l" * len(measures) + "r"
    rows = []
    before: list[object] = []
    for place, row in enumerate(table.to_dict("records")):
        values = [row[key] for key in keys]
        new_block = bool(before) and str(values[:-1]) != str(before[:-1])
        parts = [labels.latex(labels.value(item)) for item in values]
        parts += [_number(column[place]) for column in columns]
        parts.append(f"{row['solved']} of {row['tried']}")
        space = "\\addlinespace\n" if new_block and place % _ROWS else ""
        if parts[0].startswith(("[", "*")):  # would be read as options of the row before
            parts[0] = f"{{}}{parts[0]}"
        rows.append(f"{space}{' & '.join(parts)} \\\\")
        before = values
    head = " & ".join([*heads, "solved"])
    floats = []
    for first in range(0, max(1, len(rows)), _ROWS):
        part = rows[first : first + _ROWS]
        text = labels.latex(caption) if first == 0 else "Continued."
        name = label if first == 0 else f"{label}-{first // _ROWS + 1}"
        floats.append(_float(form, head, part, text, name))
    return "\n".join(floats)


def _number(cell: Cell) -> str:
    """Return the three columns of a number: before its point, from there on, its interval."""
    if not cell.median:
        return "--- & & "
    whole, point, decimals = cell.median.replace(",", "{,}").partition(".")
    parts = [whole, point + decimals]
    if cell.best:
        parts = [rf"\textbf{{{part}}}" if part else "" for part in parts]
    interval = cell.interval.replace(",", "{,}").replace("{,} ", ", ")
    return f"{parts[0]} & {parts[1]} & {{\\footnotesize {interval}}}"


def _float(form: str, head: str, rows: Sequence[str], caption: str, label: str) -> str:
    lines = [
        r"\begin{table}[htbp]",
        r"  \centering\small",
        rf"  \caption{{{caption}}}",
        rf"  \label{{{label}}}",
        r"  \par\medskip",
        rf"  \resizebox{{{_WIDTH}}}{{!}}{{%",
        rf"  \begin{{tabular}}{{@{{}}{form}@{{}}}}",
        r"    \toprule",
        rf"    {head} \\",
        r"    \midrule",
        *(f"    {line}" for row in rows for line in row.splitlines()),
        r"    \bottomrule",
        r"  \end{tabular}}",
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"
