"""The data sets by the names that the command line uses."""

from __future__ import annotations

from collections.abc import Mapping

from softres.common.discovery import Catalogue
from softres.data.base import DataSet, PublishedData

__all__ = ["DATA", "published"]

#: Every kind of instance by its name, imported when it is looked up.
DATA: Mapping[str, type[DataSet]] = Catalogue("data")


def published() -> dict[str, type[PublishedData]]:
    """Return the real data of a fixed size by name."""
    return {name: kind for name, kind in DATA.items() if issubclass(kind, PublishedData)}
