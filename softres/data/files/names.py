"""What is called what in a file, as the options of ``data=file`` say it."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Names"]


@dataclass(frozen=True)
class Names:
    """What to take out of a file, and how a table is written.

    Attributes
    ----------
    A, b, w
        Arrays of an archive, and columns of b and w in a table; empty for those that are called
        so, of which w may be missing.
    columns
        Columns of a table that make A; empty for all others but an index.
    separator, decimal
        One character each, of a CSV file.
    """

    A: str = ""
    b: str = ""
    w: str = ""
    columns: tuple[str, ...] = ()
    separator: str = ","
    decimal: str = "."
