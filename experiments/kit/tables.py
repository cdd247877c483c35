"""Tables as text, and as LaTeX files."""

from __future__ import annotations

from math import isnan
from pathlib import Path

import pandas as pd

__all__ = ["latex", "shown", "unescaped"]

_TEX = {
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
    "\\": "\\textbackslash{}",
    "^": "\\textasciicircum{}",
    "~": "\\textasciitilde{}",
    "|": "$|$",
    "<": "$<$",
    ">": "$>$",
    "≤": "$\\le$",
    "≥": "$\\ge$",
    "²": "$^2$",
    "⁻": "$^{-}$",
    "·": "$\\cdot$",
    "×": "$\\times$",
}


def latex(table: pd.DataFrame, folder: Path, stem: str, text: str) -> Path:
    """Write a table in LaTeX, for the package booktabs, and its caption."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{stem}.tex"
    cells = shown(table)
    body = cells.rename(columns=_escaped).map(_escaped).to_latex(index=False, escape=False)
    path.write_text(body, encoding="utf-8")
    (folder / f"{stem}.txt").write_text(text + "\n", encoding="utf-8")
    return path


def shown(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table as text: three digits, thousands apart, empty for what is not known."""
    if not isinstance(table.index, pd.RangeIndex):
        table = table.reset_index()  # what the rows are grouped by is part of the table
    return table.map(_cell).rename(columns=str)


def _cell(value: object) -> str:
    if isinstance(value, bool) or value is None:
        return "" if value is None else ("yes" if value else "no")
    if isinstance(value, str):
        return value
    if not pd.api.types.is_number(value):
        return str(value)
    number = float(str(value))
    if isnan(number):
        return ""
    if abs(number) < 1e6 and number == int(number):
        return f"{int(number):,}"
    return f"{number:.3g}"


def unescaped(cell: str) -> str:
    """Return the text of a cell that :func:`latex` wrote."""
    for sign, written in sorted(_TEX.items(), key=lambda pair: -len(pair[1])):
        cell = cell.replace(written, sign)
    return cell


def _escaped(text: str) -> str:
    return "".join(_TEX.get(sign, sign) for sign in str(text))
