"""Files that hold rows of A, and how blocks of them come into memory."""

from __future__ import annotations

import mmap
import os
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from softres.common.errors import InputError

__all__ = ["NpyShard", "ParquetShard", "Shard"]

Rows = npt.NDArray[Any]


class Shard(Protocol):
    """Consecutive rows of A in one file. It holds no open file, and can be sent to a worker."""

    @property
    def path(self) -> Path:
        """The file."""
        ...

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        ...

    def cuts(self, rows: int) -> Sequence[int]:
        """Return row numbers, from 0 to the last, between which about ``rows`` rows each lie."""
        ...

    def read(self, first: int, last: int) -> Rows:
        """Return rows first to last - 1 as float64 or float32, C-contiguous and read-only.

        Raises
        ------
        InputError
            If the file is gone or has been cut off.
        """
        ...


def _failed(path: Path, error: object) -> InputError:
    return InputError(f"{path}: {getattr(error, 'strerror', None) or error}")


@dataclass(frozen=True)
class NpyShard:
    """A ``.npy`` file in row-major order, mapped into memory a block at a time.

    A block's pages leave the process with the array that :meth:`read` returned; the system may
    keep them in its cache. Reading into a buffer would copy every byte once more.

    Attributes
    ----------
    path
        The file.
    shape
        Rows and columns.
    dtype
        ``"float64"`` or ``"float32"``.
    offset
        Bytes before the first row.
    """

    path: Path
    shape: tuple[int, int]
    dtype: str
    offset: int

    @classmethod
    def open(cls, path: Path) -> NpyShard:
        """Read the header, and check it and the length of the file. Unpickles nothing.

        Raises
        ------
        InputError
            If it is no such file.
        """
        try:
            held = np.load(path, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise _failed(path, error) from None
        real = isinstance(held, np.memmap) and held.ndim == 2 and held.flags.c_contiguous
        if not (real and held.dtype in (np.dtype("<f8"), np.dtype("<f4"))):
            raise InputError(
                f"{path}: allowed is a two-dimensional .npy array of float64 or float32 in "
                "row-major order"
            )
        return cls(path, (held.shape[0], held.shape[1]), str(held.dtype), held.offset)

    def cuts(self, rows: int) -> Sequence[int]:
        """Return multiples of ``rows``, and the last row."""
        return [*range(0, self.shape[0], rows), self.shape[0]]

    def read(self, first: int, last: int) -> Rows:
        """Map rows first to last - 1, and tell the system that the next ones will be wanted."""
        n, d = self.shape
        dtype = np.dtype(self.dtype)
        width = d * dtype.itemsize
        start, stop = self.offset + first * width, self.offset + last * width
        aligned = start - start % mmap.ALLOCATIONGRANULARITY
        try:
            with self.path.open("rb") as file:
                # Touching mapped pages beyond the end of a file would kill the process.
                if os.fstat(file.fileno()).st_size < self.offset + n * width:
                    raise InputError(f"{self.path}: has been cut off")
                if hasattr(os, "posix_fadvise") and last < n:
                    os.posix_fadvise(file.fileno(), stop, stop - start, os.POSIX_FADV_WILLNEED)
                mapped = mmap.mmap(
                    file.fileno(), stop - aligned, access=mmap.ACCESS_READ, offset=aligned
                )
        except OSError as error:
            raise _failed(self.path, error) from None
        values = np.frombuffer(mapped, dtype, (last - first) * d, start - aligned)
        return values.reshape(last - first, d)


@dataclass(frozen=True)
class ParquetShard:
    """A Parquet file whose columns are those of A; a block is one or more of its row groups.

    Attributes
    ----------
    path
        The file.
    shape
        Rows and columns.
    groups
        The first row of each row group, and the number of rows, in ascending order.
    """

    path: Path
    shape: tuple[int, int]
    groups: tuple[int, ...]

    @classmethod
    def open(cls, path: Path) -> ParquetShard:
        """Read the footer: the sizes and the types of the columns.

        Raises
        ------
        InputError
            If it is no such file, or a column is not a number.
        """
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            with pq.ParquetFile(path) as file:
                footer, schema = file.metadata, file.schema_arrow
        except (OSError, pa.ArrowException) as error:
            raise _failed(path, error) from None
        kinds = (pa.types.is_floating, pa.types.is_integer, pa.types.is_boolean)
        for field in schema:
            if not any(kind(field.type) for kind in kinds):
                raise InputError(
                    f"{path}: column {field.name} is {field.type}; allowed are numbers"
                )
        sizes = [footer.row_group(i).num_rows for i in range(footer.num_row_groups)]
        groups = tuple(int(at) for at in np.cumsum([0, *sizes]))
        return cls(path, (groups[-1], len(schema)), groups)

    def cuts(self, rows: int) -> Sequence[int]:
        """Return ends of row groups: as many of them together as have at most ``rows`` rows."""
        ends = [0]
        for before, at in pairwise(self.groups):
            if at - ends[-1] > rows and before > ends[-1]:
                ends.append(before)
        return [*ends, self.groups[-1]]

    def read(self, first: int, last: int) -> Rows:
        """Decode the row groups that hold the rows; a missing entry becomes NaN."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        # A part of a matrix may begin or end within a row group.
        low, high = bisect_right(self.groups, first) - 1, bisect_left(self.groups, last)
        origin = self.groups[low]
        values = np.empty((self.groups[high] - origin, self.shape[1]))
        try:
            with pq.ParquetFile(self.path, pre_buffer=False) as file:
                if file.metadata.num_rows != self.shape[0]:
                    raise InputError(f"{self.path}: has been changed while it was read")
                for i in range(low, high):
                    # Beside the block itself only one row group is held at a time.
                    table = file.read_row_group(i, use_threads=False)
                    part = values[self.groups[i] - origin : self.groups[i + 1] - origin]
                    for j, column in enumerate(table.itercolumns()):
                        part[:, j] = column.to_numpy()
        except (OSError, pa.ArrowException) as error:
            raise _failed(self.path, error) from None
        return values[first - origin : last - origin]
