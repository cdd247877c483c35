"""The instances by the names that the command line uses."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

from softres.common.errors import InputError
from softres.data.instance import Instance
from softres.data.real import REAL, scaled
from softres.data.sets.file import FileOptions, load_file
from softres.data.sets.streamed import StreamedOptions, load_streamed
from softres.data.sets.synthetic import SyntheticOptions, check_size, make_synthetic

__all__ = ["DATA", "DataOptions"]


class DataOptions(Hashable, Protocol):
    """A kind of instance with its options."""

    def size(self, n: int | None, d: int | None, R: float | None) -> tuple[int, int]:
        """Return n and d of the instance that is asked for by n, d and R.

        Raises
        ------
        InputError
            If they do not fit this kind of data.
        """
        ...

    def load(self, n: int, d: int, R: float | None, seed: int) -> Instance:
        """Make or read the instance."""
        ...

    def fingerprint(self) -> str:
        """Return a hash of what the options do not say, such as a file's content."""
        ...


@dataclass(frozen=True)
class Synthetic(SyntheticOptions):
    """Made-up data; see :class:`softres.data.sets.synthetic.SyntheticOptions`."""

    def size(self, n: int | None, d: int | None, R: float | None) -> tuple[int, int]:
        """Check the size and what depends on it."""
        for key, value in (("n", n), ("d", d)):
            if value is None or value < 1:
                raise InputError(f"{key}={value}: allowed is a whole number >= 1")
        if R is None:
            raise InputError("R=null: data=synthetic needs a number, R is |A|_2")
        assert n is not None
        assert d is not None
        check_size(n, d, R, self)
        return n, d

    def fingerprint(self) -> str:
        """Return nothing: the options and the seed say all."""
        return ""

    def load(self, n: int, d: int, R: float | None, seed: int) -> Instance:
        """Make the instance."""
        if R is None:
            raise InputError("R=null: data=synthetic needs a number, R is |A|_2")
        return make_synthetic(n, d, R, seed, self)


@dataclass(frozen=True)
class File(FileOptions):
    """A user's own data; see :mod:`softres.data.sets.file`."""

    def size(self, n: int | None, d: int | None, R: float | None) -> tuple[int, int]:
        """Return the size of the file's A, and refuse another."""
        rows, columns = _file(self, self.fingerprint()).shape
        for key, given, fixed in (("n", n, rows), ("d", d, columns)):
            if given is not None and given != fixed:
                raise InputError(f"{key}={given}: {self.path} has {key}={fixed}; leave it out")
        return rows, columns

    def load(self, n: int, d: int, R: float | None, seed: int) -> Instance:
        """Read the file; with R given, A is scaled to |A|_2 = R."""
        return scaled(_file(self, self.fingerprint()), R)


@dataclass(frozen=True)
class Streamed(StreamedOptions):
    """Row blocks on disk; see :mod:`softres.data.sets.streamed`."""

    def size(self, n: int | None, d: int | None, R: float | None) -> tuple[int, int]:
        """Return the size that the manifest names, and refuse another."""
        manifest = self.manifest()
        for key, given, fixed in (("n", n, manifest.rows), ("d", d, manifest.columns)):
            if given is not None and given != fixed:
                raise InputError(f"{key}={given}: {self.path} has {key}={fixed}; leave it out")
        self.window_bytes(manifest.rows, manifest.columns)
        return manifest.rows, manifest.columns

    def load(self, n: int, d: int, R: float | None, seed: int) -> Instance:
        """Open the folder; with R given, A is scaled to |A|_2 = R."""
        return load_streamed(self, R)


@lru_cache(maxsize=1)
def _file(options: FileOptions, fingerprint: str) -> Instance:
    """Read a file once for its size and its content."""
    return load_file(options)


#: Every kind of instance; a new one is a class with the methods of DataOptions, and a line here.
DATA: dict[str, type[DataOptions]] = {
    "synthetic": Synthetic,
    "file": File,
    "streamed": Streamed,
    **REAL,
}
