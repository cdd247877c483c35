"""What a tracking store takes: the length of values, whole steps, plain file names."""

from __future__ import annotations

from pathlib import PurePath
from typing import Literal

__all__ = ["cut", "file_name", "whole"]

# MLflow cuts longer values without a word.
_LIMITS = {"param": 6000, "tag": 8000}
_CUT_MARK = " ... (cut)"


def cut(value: object, kind: Literal["param", "tag"]) -> str:
    """Return a value as text that a store keeps whole, with a mark where it was cut."""
    text, limit = str(value), _LIMITS[kind] - 1
    return text if len(text) <= limit else text[: limit - len(_CUT_MARK)] + _CUT_MARK


def whole(step: float) -> int:
    """Return a step as a whole number.

    Raises
    ------
    ValueError
        If it is none.
    """
    # SQLite takes a step of 1.5, and MLflow can then no longer list the experiment.
    if int(step) != step:
        raise ValueError(f"step {step!r}: must be a whole number")
    return int(step)


def file_name(name: str) -> str:
    """Return the name of an artifact.

    Raises
    ------
    ValueError
        If it has folders.
    """
    if PurePath(name).name != name:
        raise ValueError(f"artifact {name!r}: must be a file name without folders")
    return name
