"""What a data set is: options in a frozen dataclass, its size before it is loaded, and loading."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

from softres.common.errors import InputError
from softres.data.fetch.source import Source
from softres.data.instance import Instance
from softres.data.matrix_scale import scaling_to
from softres.data.storage import Storage

__all__ = ["DataSet", "PublishedData", "scaled"]


@dataclass(frozen=True)
class DataSet(ABC):
    """A kind of instance with its options.

    A class of a folder, a plug-in or an entry point with a ``name`` is a choice of ``data``; its
    fields are options, and ``n``, ``d`` and ``R`` of the class the defaults of these keys.

    Attributes
    ----------
    name
        As on the command line.
    """

    name: ClassVar[str]

    @abstractmethod
    def size(self, n: int | None, d: int | None, R: float | None) -> tuple[int, int]:
        """Return n and d of the instance that is asked for by n, d and R.

        Raises
        ------
        InputError
            If they do not fit this kind of data.
        """

    @abstractmethod
    def load(self, n: int, d: int, R: float | None, seed: int) -> Instance:
        """Make or read the instance."""

    def with_factors(self) -> DataSet:
        """Return these data with an A of two factors, for a problem whose unknown is a matrix.

        Raises
        ------
        InputError
            If they have none.
        """
        raise InputError(
            f"problem=matrix with data={self.name}: A must have two factors, and only "
            "data=attention_smollm2 has"
        )

    def fingerprint(self) -> str:
        """Return a hash of what the options and the code do not say, such as a file's content."""
        return ""

    def remarks(self) -> tuple[str, ...]:
        """Return lines that a user should see before a job, such as which columns were taken."""
        return ()

    def storage(self, n: int, d: int) -> Storage:
        """Return how the n x d matrix A is stored."""
        return Storage("dense", n * d)

    def _check_size(self, n: int | None, d: int | None, there: tuple[int, int], where: str) -> None:
        """Refuse a size other than the one that there is."""
        for key, given, fixed in (("n", n, there[0]), ("d", d, there[1])):
            if given is not None and given != fixed:
                raise InputError(f"{key}={given}: {where} has {key}={fixed}; leave it out")


@dataclass(frozen=True)
class PublishedData(DataSet):
    """Real data of a fixed size, pinned by the code.

    Attributes
    ----------
    fixed
        n and d, where no option changes them.
    entries
        Stored entries of a sparse A; ``None`` for a dense one.
    source
        The packages that are downloaded for it; ``None`` where it needs none.
    licence
        Of what the instance is made of, in a few words.
    """

    fixed: ClassVar[tuple[int, int]]
    entries: ClassVar[int | None] = None
    source: ClassVar[Source | None] = None
    licence: ClassVar[str]

    @property
    def shape(self) -> tuple[int, int]:
        """Rows n and columns d."""
        return self.fixed

    def size(self, n: int | None, d: int | None, R: float | None) -> tuple[int, int]:
        """Return the data's size, and refuse another, or data that nothing here can read."""
        self._check_size(n, d, self.shape, f"data={self.name}")
        path = self.arrays_path()
        if self.source is not None and path is not None and not path.exists():
            self.source.check_readers()
        return self.shape

    def load(self, n: int, d: int, R: float | None, seed: int) -> Instance:
        """Read the instance; with R given, A is scaled to |A|_2 = R."""
        return scaled(self.read(), R)

    @abstractmethod
    def read(self) -> Instance:
        """Read the data as they come: from the cache, downloading the packages on first use."""

    def storage(self, n: int, d: int) -> Storage:
        """Return how A is stored."""
        if self.entries is None:
            return super().storage(n, d)
        return Storage("sparse", self.entries)

    def arrays_path(self) -> Path | None:
        """Return the file that the derived arrays are cached in, None for data that need none."""
        return None if self.source is None else self.source.path()


def scaled(instance: Instance, R: float | None) -> Instance:
    """Return the instance, with R given scaled to |A|_2 = R."""
    if R is None:
        return instance
    factor = scaling_to(instance.A, R)
    planted: Any = None if instance.planted is None else instance.planted / factor
    return replace(instance, A=instance.A * factor, planted=planted)
