"""Dense A on disk, read block by block: for matrices that do not fit into memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from math import isfinite
from time import perf_counter
from typing import Any, ClassVar, NamedTuple

import numpy as np
import numpy.typing as npt

from softres.common.errors import InputError
from softres.matrices.base import DesignMatrix, Index
from softres.matrices.dense import BLOCK_BYTES, DenseNumpy
from softres.matrices.shards import Shard
from softres.matrices.symmetric import BlockSum, add_rows, block_rows

__all__ = ["WINDOW_BYTES", "StreamedMatrix"]

#: Bytes of A that are mapped at once: enough for the disk to read ahead of the arithmetic.
WINDOW_BYTES = 16 << 20


class _Window(NamedTuple):
    """Rows first to last - 1 of a shard; the first of them is row ``start`` of A."""

    start: int
    shard: Shard
    first: int
    last: int


class StreamedMatrix(DesignMatrix):
    """A as row blocks in files. Vectors are NumPy arrays in memory, the arithmetic is float64.

    Every product reads A once, whatever the number of right-hand sides, and holds one window of it
    at a time; chosen rows are read from the windows they lie in, and no others.

    Parameters
    ----------
    shards
        Files of rows with equally many columns, in order.
    checksum
        Stands for the content of the files: two matrices with equal ``identity`` are equal.
    window_bytes
        Bytes of a window, as float64.
    factor
        A is this times what the files hold.

    Attributes
    ----------
    identity
        Names the content of A: the checksum, the rows and the factor.

    Raises
    ------
    InputError
        If a row group of a Parquet file does not fit a window.
    """

    backend: ClassVar[str] = "numpy"
    is_sparse: ClassVar[bool] = False

    def __init__(
        self,
        shards: Sequence[Shard],
        checksum: str,
        window_bytes: int = WINDOW_BYTES,
        factor: float = 1.0,
    ) -> None:
        super().__init__()
        self._checksum = checksum
        self._factor = factor
        self._columns = shards[0].shape[1]
        most = max(1, window_bytes // (8 * self._columns))
        windows: list[_Window] = []
        rows = 0
        for shard in shards:
            ends = shard.cuts(most)
            for first, last in pairwise(ends):
                if last - first > most:
                    raise InputError(
                        f"{shard.path}: a row group of {last - first} rows takes more than the "
                        f"{window_bytes / 2**20:.3g} MiB that data.memory leaves for it"
                    )
                if last > first:
                    windows.append(_Window(rows + first, shard, first, last))
            rows += shard.shape[0]
        self._set(windows, rows)

    def _set(self, windows: Sequence[_Window], rows: int) -> None:
        self._windows = windows
        self._rows = rows
        self.identity = f"{self._checksum} {self._factor!r} {windows[0].start} {rows}"

    @property
    def shape(self) -> tuple[int, int]:
        """Rows n and columns d."""
        return self._rows, self._columns

    @property
    def nnz(self) -> int:
        """Stored entries, n d."""
        return self._rows * self._columns

    def asarray(self, values: Any) -> Any:
        """Return the values as a NumPy array of float64."""
        return np.asarray(values, dtype=np.float64)

    def part(self, start: int, stop: int) -> StreamedMatrix:
        """Return rows start to stop - 1 of A over the same files, with pass counters of its own.

        Where a Parquet row group is cut, it is decoded for each of the parts.
        """
        chosen = []
        # Windows are numbered by the rows of the files, and a part of a part begins within.
        start, stop = start + self._windows[0].start, stop + self._windows[0].start
        for window in self._windows:
            skip = max(0, start - window.start)
            drop = max(0, window.start + window.last - window.first - stop)
            if skip + drop < window.last - window.first:
                first, last = window.first + skip, window.last - drop
                chosen.append(_Window(window.start + skip, window.shard, first, last))
        return self._copy(chosen, stop - start, self._factor)

    def scaled(self, factor: float) -> StreamedMatrix:
        """Return A times a number."""
        return self._copy(self._windows, self._rows, self._factor * factor)

    def _copy(self, windows: Sequence[_Window], rows: int, factor: float) -> StreamedMatrix:
        copy = StreamedMatrix.__new__(StreamedMatrix)
        DesignMatrix.__init__(copy)
        copy._checksum, copy._factor, copy._columns = self._checksum, factor, self._columns
        copy.bytes_per_second = self.bytes_per_second
        copy._set(windows, rows)
        return copy

    def split(self, first: int) -> tuple[DesignMatrix, DesignMatrix]:
        """Return the first rows and the others; see :meth:`DesignMatrix.split`."""
        return self.part(0, first), self.part(first, self._rows)

    def toarray(self) -> npt.NDArray[np.float64]:
        """Return A in memory."""
        array = np.empty(self.shape)
        for start, block in self._blocks():
            array[start : start + len(block)] = block
        return array

    def check(self) -> None:
        """Read A once, note how fast that was, and make sure that all of it is finite.

        Raises
        ------
        InputError
            If it is not; names the file and the row.
        """
        began = perf_counter()
        ones = np.ones(self._columns)
        for window in self._windows:
            values = window.shard.read(window.first, window.last)
            with np.errstate(all="ignore"):
                if isfinite(float((values @ ones).sum())):
                    continue
                finite = np.isfinite(values).all(axis=1)
            if not finite.all():
                row = window.first + int(np.argmin(finite))
                raise InputError(
                    f"{window.shard.path}: row {row} holds NaN or infinite values; all must be "
                    "finite"
                )
        self.bytes_per_second = 8.0 * self.nnz / max(perf_counter() - began, 1e-9)

    def _blocks(self, chosen: Index | None = None) -> Iterator[tuple[int, npt.NDArray[Any]]]:
        """Yield float64 blocks of A with their first row's number; each until the next is asked.

        With ascending row numbers ``chosen`` only the blocks that hold some of them.
        """
        origin = self._windows[0].start
        step = block_rows(self._columns, 8, BLOCK_BYTES)
        buffer: npt.NDArray[np.float64] | None = None
        for window in self._windows:
            start, count = window.start - origin, window.last - window.first
            if chosen is not None and not _any_between(chosen, start, start + count):
                continue
            values = window.shard.read(window.first, window.last)
            if values.dtype == np.float64 and self._factor == 1.0:
                yield start, values
                continue
            # Converted in pieces that stay in a core's cache until they are used.
            buffer = np.empty((step, self._columns)) if buffer is None else buffer
            for at in range(0, count, step):
                piece = values[at : at + step]
                if chosen is not None and not _any_between(
                    chosen, start + at, start + at + len(piece)
                ):
                    continue
                np.multiply(piece, self._factor, out=buffer[: len(piece)])
                yield start + at, buffer[: len(piece)]

    def _chosen_blocks(self, rows: Index) -> Iterator[tuple[DenseNumpy, Index, Index]]:
        """Yield blocks, which of the ascending ``rows`` lie in them, and where in the block."""
        for start, block in self._blocks(rows):
            low, high = np.searchsorted(rows, (start, start + len(block)))
            yield DenseNumpy(block), np.arange(low, high), rows[low:high] - start

    def _matmul(self, x: Any) -> Any:
        product = np.empty((self._rows, *x.shape[1:]))
        for start, block in self._blocks():
            product[start : start + len(block)] = DenseNumpy(block)._matmul(x)
        return product

    def _rmatmul(self, y: Any) -> Any:
        total = np.zeros((self._columns, *y.shape[1:]))
        for start, block in self._blocks():
            total += DenseNumpy(block)._rmatmul(y[start : start + len(block)])
        return total

    def _gram(self, weights: Any, rows: Index | None, single: bool) -> Any:
        dtype = np.dtype(np.float32 if single else np.float64)
        total = BlockSum(self._columns, dtype, block_rows(self._columns, 8, BLOCK_BYTES))
        if rows is None:
            for start, block in self._blocks():
                add_rows(total, block, weights[start : start + len(block)], None)
        else:
            order = np.argsort(rows, kind="stable")
            for dense, at, within in self._chosen_blocks(rows[order]):
                add_rows(total, dense.array, weights[order[at]], within)
        return total.total(np.float64)

    def _column_norms(self) -> Any:
        squares = np.zeros(self._columns)
        for _, block in self._blocks():
            squares += np.einsum("ij,ij->j", block, block)
        return np.sqrt(squares)

    def squared_row_norms(self) -> Any:
        """Return the squared Euclidean norms of A's rows, shape (n,)."""
        norms = np.empty(self._rows)
        for start, block in self._blocks():
            norms[start : start + len(block)] = np.einsum("ij,ij->i", block, block)
        return norms

    def sketch(self, embedding: Any) -> Any:
        """Return S A; see :meth:`DesignMatrix.sketch`."""
        S = embedding.tocsc()
        reduced = np.zeros((S.shape[0], self._columns))
        for start, block in self._blocks():
            reduced += S[:, start : start + len(block)] @ block
        return reduced

    def compress(self, factors: npt.NDArray[np.float64], rows: npt.NDArray[np.int64]) -> Any:
        """Return factors @ A[rows]; see :meth:`DesignMatrix.compress`."""
        return next(self.compress_each([(factors, rows)]))

    def compress_each(
        self, parts: Iterable[tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]]
    ) -> Iterator[Any]:
        """Yield factors @ A[rows] for each pair, in one reading of A for all of them."""
        pairs = []
        for factors, rows in parts:
            order = np.argsort(rows, kind="stable")
            pairs.append((factors[:, order], rows[order]))
        totals = [np.zeros((len(factors), self._columns)) for factors, _ in pairs]
        done = [0] * len(pairs)
        for start, block in self._blocks():
            for i, (factors, rows) in enumerate(pairs):
                low = done[i]
                done[i] = high = low + int(np.searchsorted(rows[low:], start + len(block)))
                if high > low:
                    totals[i] += factors[:, low:high] @ block[rows[low:high] - start]
        yield from totals

    def row_forms(self, right: Any, single: bool = False) -> Any:
        """Return the squared row norms of A @ right; see :meth:`DesignMatrix.row_forms`."""
        self.counter.add(passes=right.shape[1])
        forms = np.empty(self._rows)
        for start, block in self._blocks():
            forms[start : start + len(block)] = DenseNumpy(block).row_forms(right, single)
        return forms

    def rows(self, index: npt.NDArray[Any]) -> DenseNumpy:
        """Return the rows A[index], in memory."""
        order = np.argsort(index, kind="stable")
        gathered = np.empty((len(index), self._columns))
        for dense, at, within in self._chosen_blocks(np.asarray(index, dtype=np.int64)[order]):
            gathered[order[at]] = dense.array[within]
        return DenseNumpy(gathered)


def _any_between(rows: Index, start: int, stop: int) -> bool:
    """Whether one of the ascending row numbers is from start to stop - 1."""
    low, high = np.searchsorted(rows, (start, stop))
    return bool(high > low)
