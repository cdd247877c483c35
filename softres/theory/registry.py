"""The theorems by their names."""

from __future__ import annotations

from collections.abc import Mapping

from softres.common.discovery import Catalogue
from softres.common.errors import InputError
from softres.theory.theorem import Theorem

__all__ = ["THEOREMS", "make_theorem"]

#: Every theorem by its name, imported when it is looked up.
THEOREMS: Mapping[str, type[Theorem]] = Catalogue("theorem")


def make_theorem(name: str) -> Theorem:
    """Return the theorem of that name.

    Raises
    ------
    InputError
        If there is none; names those there are.
    """
    if name not in THEOREMS:
        raise InputError(f"experiment.theorem={name}: allowed are {', '.join(THEOREMS)}")
    return THEOREMS[name]()
