"""Tables as CSV that a spreadsheet opens as text and numbers, and never as formulas."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from softres.common.text import printable

__all__ = ["write_csv"]

#: Characters with which a spreadsheet begins a formula.
_FORMULA = ("=", "+", "-", "@")


def write_csv(table: pd.DataFrame, path: Path) -> None:
    """Write a table without its index.

    Names come from stores that others wrote. A text that begins like a formula gets an apostrophe
    before it, which a spreadsheet shows as text; characters that a terminal obeys are escaped, so
    that a row is a line; numbers stay as they are.
    """
    shown = table.rename(columns=_as_text)
    for place, kind in enumerate(shown.dtypes):
        if not pd.api.types.is_numeric_dtype(kind):
            shown.isetitem(place, shown.iloc[:, place].map(_as_text).to_list())
    shown.to_csv(path, index=False)


def _as_text(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    text = printable(value)
    return f"'{text}" if text.startswith(_FORMULA) else text
