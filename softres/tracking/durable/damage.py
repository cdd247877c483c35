"""Reading what waits on this machine, which anything may have happened to."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

from softres.tracking.charts.curves import MetricPoint

__all__ = ["DamagedRunError", "fields_of", "points_of"]


class DamagedRunError(ValueError):
    """Something of a waiting run cannot be read; says what."""


def fields_of(path: Path, kind: type) -> dict[str, Any]:
    """Return the fields of a record, each of the type that its class declares.

    Parameters
    ----------
    path
        The record, JSON.
    kind
        The dataclass of which it is one; ``folder`` is none of its fields in the file.

    Raises
    ------
    FileNotFoundError
        If there is no record.
    DamagedRunError
        If it is not one.
    """
    try:
        found = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise
    except (OSError, ValueError, RecursionError) as error:
        what = "it is empty" if not path.stat().st_size else str(error).partition("\n")[0]
        raise DamagedRunError(f"{path.name}: {what}") from None
    if not isinstance(found, dict):
        raise DamagedRunError(f"{path.name}: no record")
    known = {field.name: field for field in fields(kind) if field.name != "folder"}
    for name, value in found.items():
        if name not in known:
            raise DamagedRunError(f"{path.name}: {name!r} is no field of it")
        if not _is_of(str(known[name].type), value):
            raise DamagedRunError(f"{path.name}: {name} is not {known[name].type}")
    for name, field in known.items():
        if name not in found and field.default is field.default_factory is MISSING:
            raise DamagedRunError(f"{path.name}: {name} is missing")
    return found


def _is_of(kind: str, value: object) -> bool:
    """Whether a value is of a type as a dataclass of plain types writes it."""
    if kind.endswith(" | None"):
        return value is None or _is_of(kind.removesuffix(" | None"), value)
    if kind.startswith("dict[str, "):
        inner = kind.removeprefix("dict[str, ").removesuffix("]")
        return isinstance(value, Mapping) and all(_is_of(inner, one) for one in value.values())
    if kind.startswith("list["):
        inner = kind.removeprefix("list[").removesuffix("]")
        return isinstance(value, list) and all(_is_of(inner, one) for one in value)
    if kind == "bool":
        return isinstance(value, bool)
    plain: dict[str, tuple[type, ...]] = {"str": (str,), "int": (int,), "float": (int, float)}
    return isinstance(value, plain[kind]) and not isinstance(value, bool)


def points_of(path: Path) -> list[MetricPoint]:
    """Return the values of metrics that a Parquet file holds.

    Raises
    ------
    DamagedRunError
        If it holds none.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return [MetricPoint(**row) for row in pq.read_table(path).to_pylist()]
    except (pa.ArrowException, OSError, TypeError) as error:
        what = str(error).partition("\n")[0]
        raise DamagedRunError(f"{path.name}: {what[:90]}") from None
