"""Tables with a line of names, CSV or Parquet, and which of their columns are A, b and w."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from softres.common.errors import InputError
from softres.data.files.budget import claim
from softres.data.files.names import Names
from softres.data.files.text_files import first_line, read_text

__all__ = ["read_csv", "read_parquet", "short_list"]

#: Names that writers give to an index without one: R an empty name, pandas and readr these.
_UNNAMED = re.compile(r"|Unnamed: \d+(_level_\d+)?|__index_level_\d+__|\.\.\.\d+")
#: Other separators than the one that was asked for, for a hint.
_SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab"}
#: Rows from which on a first column that counts them is no coincidence.
_COUNTED = 10


def read_csv(path: Path, names: Names, where: str) -> dict[str, Any]:
    """Return A, b, w of a CSV file, and in words which columns they are.

    Raises
    ------
    InputError
        If it has no such columns, one holds no numbers, or the first one counts the rows.
    ValueError, OSError, EOFError
        If it is no table; pyarrow's own errors derive from these.
    """
    import pyarrow as pa
    from pyarrow import csv

    text = read_text(path, where)
    head = first_line(text)
    if names.separator not in head:
        for other in (one for one in _SEPARATORS if one in head):
            comma = "" if other == "," else ", and data.decimal=comma for numbers like 0,5"
            raise InputError(
                f"{where}: the names in its first line are separated by {_SEPARATORS[other]}s; "
                f"data.separator={_SEPARATORS[other]} reads that{comma}"
            )
    try:
        table = csv.read_csv(
            pa.BufferReader(text),
            parse_options=csv.ParseOptions(delimiter=names.separator),
            convert_options=csv.ConvertOptions(decimal_point=names.decimal),
        )
    except ValueError as error:
        raise ValueError(_explained(str(error))) from None
    # What stands after a separator and a blank keeps the blank, and its quotes.
    clean = [re.sub(r'^"(.*)"$', r"\1", name.strip()) for name in table.column_names]
    return _chosen(table.rename_columns(clean), names, where)


def read_parquet(path: Path, names: Names, where: str) -> dict[str, Any]:
    """Return the same of a Parquet file, whose index, named or not, is no column of A."""
    import pyarrow.parquet as pq

    with path.open("rb") as stream, pq.ParquetFile(stream) as file:
        footer = file.metadata
        unpacked = sum(footer.row_group(k).total_byte_size for k in range(footer.num_row_groups))
        size = max(unpacked, 8 * footer.num_rows * footer.num_columns)
        claim(size, where, f"a table of {footer.num_rows} rows and {footer.num_columns} columns")
        table = file.read()
    return _chosen(table, names, where, _pandas_index(table))


def _explained(reason: str) -> str:
    found = re.search(r"Expected (\d+) columns, got (\d+)", reason)
    if found is not None and int(found[2]) == int(found[1]) + 1:
        reason = (
            f"a row has {found[2]} values and the first line {found[1]} names; row names, and what "
            "follows a comma at the end, need a name too"
        )
    return reason


def _pandas_index(table: Any) -> set[str]:
    """Return the columns that pandas, by its own note, made of an index."""
    try:
        note = json.loads((table.schema.metadata or {}).get(b"pandas", b"{}"))
        return {name for name in note.get("index_columns", []) if isinstance(name, str)}
    except (ValueError, AttributeError, TypeError):
        return set()


def _chosen(table: Any, names: Names, where: str, index: set[str] | None = None) -> dict[str, Any]:
    """Pick the columns of A, b and w out of a table."""
    if table.num_rows == 0:
        raise InputError(f"{where}: has no rows")
    known, target = table.column_names, names.b or "b"
    wanted = [target, *([names.w] if names.w else []), *names.columns]
    for name in wanted:
        if known.count(name) != 1:
            what = "no column" if name not in known else "more than one column"
            hint = "; data.b=COLUMN names another" if name == target else ""
            raise InputError(f"{where}: has {what} {name}; it has {short_list(known)}{hint}")
    others = [name for name in known if name not in wanted]
    is_index = [bool(_UNNAMED.fullmatch(name)) or name in (index or set()) for name in others]
    features = list(names.columns) or [
        name for name, left in zip(others, is_index, strict=True) if not left
    ]
    if not features:
        raise InputError(f"{where}: has no columns for A beside {short_list(wanted)}")
    claim(8 * table.num_rows * len(features), where, f"A of {len(features)} columns")
    A = np.empty((table.num_rows, len(features)))
    for k, name in enumerate(features):
        A[:, k] = _column(table, name, names, where)
    if not names.columns and features[0] == known[0] and _counts(A[:, 0]):
        raise InputError(
            f"{where}: its first column, {features[0]}, counts the rows as a saved index does; "
            "data.columns=[...] names the columns of A"
        )
    held = {"A": A, "b": _column(table, target, names, where), "columns": features}
    if left := [] if names.columns else [name or '""' for name in others if name not in features]:
        held["left out"] = left
    return held | ({"w": _column(table, names.w, names, where)} if names.w else {})


def _counts(values: Any) -> bool:
    start, n = values[0], len(values)
    return start in (0, 1) and n >= _COUNTED and bool((values == np.arange(n) + start).all())


def _column(table: Any, name: str, names: Names, where: str) -> Any:
    import pyarrow as pa

    if table.column_names.count(name) != 1:
        raise InputError(f"{where}: has more than one column {name}")
    column = table.column(name)
    kind = column.type
    if pa.types.is_boolean(kind) or pa.types.is_decimal(kind):
        column = column.cast(pa.float64())
    elif not (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
        first = str(column[0].as_py())
        other = "comma" if names.decimal == "." else "point"
        hint = f", or data.decimal={other}" if re.fullmatch(r"-?\d*[.,]\d+", first) else ""
        raise InputError(
            f"{where}: column {name} holds {kind}, not numbers; data.columns=[...] names those of "
            f"A{hint}"
        )
    # A missing value becomes NaN, which the instance refuses by name.
    return column.to_numpy().astype(np.float64)


def short_list(names: Sequence[str]) -> str:
    """Return names in a line that stays short."""
    return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
