"""The banded sign embedding: random groups of rows, each compressed by a dense sign matrix."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from scipy import sparse

from softres.matrices import DesignMatrix
from softres.matrices.backends import as_numpy

__all__ = ["NONZEROS", "Banded"]

#: Nonzeros a column, over both groupings.
NONZEROS = 16
#: Ways in which the rows of A are grouped.
GROUPINGS = 2
#: Most rows that stay together in both groupings.
CHUNK_ROWS = 256

Index = npt.NDArray[np.int64]
Signs = npt.NDArray[np.int8]


@dataclass(frozen=True)
class _Band:
    """Neighbouring rows of S with nonzeros in the same columns, and their place among these."""

    first: int
    height: int
    top: int

    @property
    def rows(self) -> slice:
        return slice(self.first, self.first + self.height)

    @property
    def signs(self) -> slice:
        return slice(self.top, self.top + self.height)


class Banded:
    """A random m x n embedding S whose products with A are dense products.

    The rows of A are put into a random order and cut into chunks. One grouping joins neighbouring
    chunks, the other one every so many; each group has a band of neighbouring rows of S, with a
    random sign and the root of the nonzeros in every place. The random order keeps coherent
    neighbours apart, and the second grouping separates those that meet in the first: with one
    grouping, d rows of leverage one cost a condition of 10^3 where two give 14. Rows of one chunk
    meet in both, so chunks have at most n / m rows.

    Parameters
    ----------
    m, n
        Rows and columns.
    rng
        Source of the order and the signs.
    """

    def __init__(self, m: int, n: int, rng: np.random.Generator) -> None:
        self.m, self.n = m, n
        self.nonzeros = min(NONZEROS, m)
        self.order: Index = rng.permutation(n)
        self.signs = 2 * rng.integers(0, 2, size=(self.nonzeros, n), dtype=np.int8) - 1
        size = max(1, min(CHUNK_ROWS, n // m))
        self.edges = [*range(0, n, size), n]

    @cached_property
    def bands(self) -> list[list[_Band]]:
        """Bands of each grouping; each covers its own part of the m rows.

        The last band overlaps where the part's height is no multiple of the bands'.
        """
        groupings = min(GROUPINGS, self.nonzeros)
        parts = np.linspace(0, self.m, groupings + 1).astype(int).tolist()
        tops = np.linspace(0, self.nonzeros, groupings + 1).astype(int).tolist()
        found = []
        for (first, last), (top, bottom) in zip(pairwise(parts), pairwise(tops), strict=True):
            height = bottom - top
            count = -(-(last - first) // height)
            starts = np.linspace(first, last - height, count).astype(int).tolist()
            found.append([_Band(start, height, top) for start in starts])
        return found

    def _of_chunk(self, k: int) -> list[_Band]:
        """Return the band of chunk k in each grouping."""
        chunks = len(self.edges) - 1
        near, *strided = self.bands
        return [near[k * len(near) // chunks], *(bands[k % len(bands)] for bands in strided)]

    def _chunk(self, k: int) -> tuple[Signs, Index]:
        """Return the signs, shape (nonzeros, rows), and the rows of A of chunk k."""
        piece = slice(self.edges[k], self.edges[k + 1])
        return self.signs[:, piece], self.order[piece]

    def _groups(self) -> Iterator[tuple[_Band, Signs, Index]]:
        """Yield each band with its signs and rows, in the order of A."""
        members: dict[_Band, list[int]] = {}
        for k in range(len(self.edges) - 1):
            for band in self._of_chunk(k):
                members.setdefault(band, []).append(k)
        for band, chosen in members.items():
            parts = [self._chunk(k) for k in chosen]
            signs = np.concatenate([part[0][band.signs] for part in parts], axis=1)
            rows = np.concatenate([part[1] for part in parts])
            ascending = np.argsort(rows, kind="stable")
            yield band, signs[:, ascending], rows[ascending]

    def tocsc(self) -> sparse.csc_array:
        """Return S as a sparse array."""
        places = np.empty((self.n, self.nonzeros), dtype=np.int64)
        data = np.empty((self.n, self.nonzeros))
        for k in range(len(self.edges) - 1):
            signs, rows = self._chunk(k)
            data[rows] = signs.T
            places[rows] = np.concatenate([np.r_[band.rows] for band in self._of_chunk(k)])
        pointers = np.arange(0, self.n * self.nonzeros + 1, self.nonzeros)
        data /= np.sqrt(self.nonzeros)
        return sparse.csc_array((data.ravel(), places.ravel(), pointers), shape=(self.m, self.n))

    def sketch(
        self, matrix: DesignMatrix, factors: npt.NDArray[np.float64]
    ) -> npt.NDArray[np.float64]:
        """Return S diag(factors) A, shape (m, d), for a dense A.

        Where rows of A can be gathered a few at a time, each is gathered once for all its
        nonzeros; elsewhere a group's rows are taken together.
        """
        reduced = np.zeros((self.m, matrix.shape[1]))
        entry = factors / np.sqrt(self.nonzeros)
        if not matrix.gathers:
            groups = list(self._groups())
            parts = ((signs * entry[rows], rows) for _, signs, rows in groups)
            for (band, _, _), part in zip(groups, matrix.compress_each(parts), strict=True):
                reduced[band.rows] += as_numpy(part)
            return reduced
        chunks = range(len(self.edges) - 1)
        scaled = ((signs * entry[rows], rows) for signs, rows in map(self._chunk, chunks))
        for k, part in zip(chunks, matrix.compress_each(scaled), strict=True):
            for band in self._of_chunk(k):
                reduced[band.rows] += part[band.signs]
        return reduced
