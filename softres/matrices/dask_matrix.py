"""Dense A as a Dask array in row chunks, on this machine's threads or on a cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from softres.common.errors import InputError
from softres.matrices.base import DesignMatrix, Index
from softres.matrices.dense import DenseNumpy
from softres.matrices.streamed import StreamedMatrix

__all__ = ["CHUNK_BYTES", "DaskMatrix", "connect", "dask_matrix"]

#: Bytes of a chunk: one task is then worth far more than the milliseconds that it costs.
CHUNK_BYTES = 32 << 20
#: Sums that are added up by one task: partial sums meet on the workers, not here.
FAN_IN = 8
#: Bytes of a vector from which its pieces go to a cluster's workers directly, not in the graph.
SCATTER_BYTES = 1 << 20
#: Seconds to wait for a cluster's scheduler.
SCHEDULER_TIMEOUT = "10s"


@cache
def connect(address: str) -> Any:
    """Return this process's client of a scheduler.

    Raises
    ------
    InputError
        If Dask is not installed, or nothing answers.
    """
    distributed = _imported("distributed")
    try:
        # A client of an address that is none cannot be closed, and says so on its own.
        _imported("distributed.comm").resolve_address(address)
        return distributed.Client(address, timeout=SCHEDULER_TIMEOUT, set_as_default=False)
    except (OSError, ValueError, ImportError) as error:
        raise InputError(f"backend.address={address}: no Dask scheduler there ({error})") from None


def _imported(name: str) -> Any:
    from importlib import import_module

    try:
        return import_module(name)
    except ImportError as error:
        raise InputError(
            f'backend=dask: {error.name or name} is not installed; pip install "softres[dask]"'
        ) from None


def dask_matrix(A: Any, address: str | None = None) -> DaskMatrix:
    """Return a NumPy array, Dask array or streamed matrix as a matrix on Dask.

    A NumPy array goes to the workers once. A streamed matrix is read by them, anew for each
    product; its files must be at the same place for all of them.

    Parameters
    ----------
    A
        n x d.
    address
        Of a scheduler; ``None`` for this machine's threads.

    Raises
    ------
    InputError
        If Dask is not installed, or nothing answers at the address.
    """
    da = _imported("dask.array")
    delayed = _imported("dask").delayed
    client = None if address is None else connect(address)
    if len(A.shape) != 2:
        raise InputError(f"A must be a matrix with rows and columns, not of shape {A.shape}")
    n, d = A.shape
    rows = max(1, CHUNK_BYTES // (8 * d))
    if isinstance(A, StreamedMatrix):
        ends = [*range(0, n, rows), n]
        parts = [A.part(a, b) for a, b in pairwise(ends)]
        blocks = [
            da.from_delayed(delayed(StreamedMatrix.toarray)(part), part.shape, np.float64)
            for part in parts
        ]
        return DaskMatrix(da.concatenate(blocks), client)
    if isinstance(A, np.ndarray):
        array = da.from_array(A, chunks=(rows, d))
        return DaskMatrix(array if client is None else client.persist(array), client)
    _check_blocks(A)
    return DaskMatrix(A, client)


def _check_blocks(A: Any) -> None:
    """Refuse blocks that are no plain arrays of real numbers, as far as Dask knows."""
    if A.dtype.kind not in "fiub":
        raise InputError(f"A has dtype {A.dtype}: allowed are real numbers")
    kind = getattr(A, "_meta", None)
    if np.ma.isMaskedArray(kind):
        raise InputError("A is a masked array, whose masked entries have no value: fill them")
    if not isinstance(kind, np.ndarray):
        raise InputError(f"A has blocks of {type(kind).__name__}: allowed are NumPy arrays")


class DaskMatrix(DesignMatrix):
    """A in row chunks of a Dask array; vectors and d x d matrices are NumPy arrays here.

    Every product, Gram matrix and sample is one graph and one computation. A chunk is worked on
    as a dense matrix in memory; what the chunks add to a sum is added up on the workers.

    Parameters
    ----------
    array
        A Dask array; columns in several chunks are put together.
    client
        A ``distributed.Client``; ``None`` for this machine's threads.
    """

    backend: ClassVar[str] = "numpy"
    is_sparse: ClassVar[bool] = False

    def __init__(self, array: Any, client: Any = None) -> None:
        super().__init__()
        if any(not np.isfinite(size) for size in array.shape):
            raise InputError("A has chunks of unknown size; array.compute_chunk_sizes() tells them")
        self.array = array.astype(np.float64).rechunk({1: -1})
        self._client = client
        self._chunks = [row[0] for row in self.array.to_delayed()]
        self._ends = np.cumsum([0, *self.array.chunks[0]])

    @property
    def shape(self) -> tuple[int, int]:
        """Rows n and columns d."""
        n, d = self.array.shape
        return int(n), int(d)

    @property
    def nnz(self) -> int:
        """Stored entries, n d."""
        return int(self.array.size)

    def asarray(self, values: Any) -> Any:
        """Return the values as a NumPy array of float64."""
        return np.asarray(values, dtype=np.float64)

    def _pieces(self, vector: npt.NDArray[Any]) -> list[Any]:
        """Cut a vector or matrix of n rows as A is cut, near the chunks where that pays."""
        return self._sent([vector[a:b] for a, b in pairwise(self._ends)])

    def _sent(self, pieces: list[Any]) -> list[Any]:
        if self._client is None or sum(piece.nbytes for piece in pieces) < SCATTER_BYTES:
            return pieces
        return list(self._client.scatter(pieces, hash=False))

    def _run(self, tasks: list[Any]) -> list[Any]:
        """Compute tasks together, as one graph."""
        if self._client is None:
            return list(_imported("dask").compute(*tasks, scheduler="threads"))
        return list(self._client.gather(self._client.compute(tasks)))

    def _each(self, function: Callable[..., Any], *arguments: Sequence[Any]) -> list[Any]:
        """Return delayed function(chunk, ...), one for each chunk, with its own arguments."""
        task = _imported("dask").delayed(function, pure=False)
        return [task(*each) for each in zip(self._chunks, *arguments, strict=True)]

    def _sum(self, tasks: list[Any]) -> Any:
        """Add up delayed arrays, a few at a time, and compute the sum."""
        add = _imported("dask").delayed(_added, pure=False)
        while len(tasks) > 1:
            tasks = [add(tasks[i : i + FAN_IN]) for i in range(0, len(tasks), FAN_IN)]
        return self._run(tasks)[0]

    def _matmul(self, x: Any) -> Any:
        parts = self._each(_product, [x] * len(self._chunks))
        return np.concatenate(self._run(parts))

    def _rmatmul(self, y: Any) -> Any:
        return self._sum(self._each(_transposed_product, self._pieces(y)))

    def _gram(self, weights: Any, rows: Index | None, single: bool) -> Any:
        flags = [single] * len(self._chunks)
        if rows is None:
            none = [None] * len(self._chunks)
            return self._sum(self._each(_gram, self._pieces(weights), none, flags))
        places = self._places(rows)
        chosen = [rows[at] - start for at, start in zip(places, self._ends, strict=False)]
        return self._sum(
            self._each(_gram, self._sent([weights[at] for at in places]), chosen, flags)
        )

    def _column_norms(self) -> Any:
        return np.sqrt(self._sum(self._each(_squares)))

    def sketch(self, embedding: Any) -> Any:
        """Return S A; see :meth:`DesignMatrix.sketch`."""
        S = embedding.tocsc()
        parts = [S[:, a:b] for a, b in pairwise(self._ends)]
        return self._sum(self._each(_sketch, parts))

    def compress(self, factors: npt.NDArray[np.float64], rows: npt.NDArray[np.int64]) -> Any:
        """Return factors @ A[rows]; see :meth:`DesignMatrix.compress`."""
        return next(self.compress_each([(factors, rows)]))

    def compress_each(
        self, parts: Iterable[tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]]
    ) -> Iterator[Any]:
        """Yield factors @ A[rows] for each pair, in one graph for all of them."""
        of_chunk: list[list[tuple[Any, Index]]] = [[] for _ in self._chunks]
        heights = [0]
        for factors, rows in parts:
            heights.append(heights[-1] + len(factors))
            for pairs, at, start in zip(of_chunk, self._places(rows), self._ends, strict=False):
                pairs.append((factors[:, at], rows[at] - start))
        total = self._sum(self._each(_compress, [_Pairs(pairs) for pairs in of_chunk]))
        for start, stop in pairwise(heights):
            yield total[start:stop]

    def row_forms(self, right: Any, single: bool = False) -> Any:
        """Return the squared row norms of A @ right; see :meth:`DesignMatrix.row_forms`."""
        self.counter.add(passes=right.shape[1])
        return np.concatenate(
            self._run(self._each(_row_forms, [(right, single)] * len(self._chunks)))
        )

    def rows(self, index: npt.NDArray[Any]) -> DenseNumpy:
        """Return the rows A[index], here."""
        index = np.asarray(index, dtype=np.int64)
        places = self._places(index)
        chosen = [index[at] - start for at, start in zip(places, self._ends, strict=False)]
        gathered = np.empty((len(index), self.shape[1]))
        for at, part in zip(places, self._run(self._each(_rows, chosen)), strict=True):
            gathered[at] = part
        return DenseNumpy(gathered)

    def _places(self, rows: Index) -> list[Index]:
        """Return for each chunk where in ``rows`` its rows are named."""
        chunk = np.searchsorted(self._ends, rows, side="right") - 1
        order = np.argsort(chunk, kind="stable")
        ends = np.searchsorted(chunk[order], np.arange(len(self._chunks) + 1))
        return [order[a:b] for a, b in pairwise(ends)]


def _dense(chunk: Any) -> DenseNumpy:
    return DenseNumpy(np.ascontiguousarray(chunk, dtype=np.float64))


def _added(parts: Sequence[Any]) -> Any:
    return sum(parts[1:], start=parts[0])


def _product(chunk: Any, x: Any) -> Any:
    return _dense(chunk)._matmul(x)


def _transposed_product(chunk: Any, y: Any) -> Any:
    return _dense(chunk)._rmatmul(y)


def _gram(chunk: Any, weights: Any, rows: Index | None, single: bool) -> Any:
    return _dense(chunk)._gram(weights, rows, single)


def _squares(chunk: Any) -> Any:
    return _dense(chunk)._column_norms() ** 2


def _sketch(chunk: Any, embedding: Any) -> Any:
    return embedding @ chunk


@dataclass(frozen=True)
class _Pairs:
    """Factors and row numbers: one object, which Dask does not search for tasks."""

    pairs: list[tuple[Any, Index]]


def _compress(chunk: Any, pairs: _Pairs) -> Any:
    return np.concatenate([factors @ chunk[rows] for factors, rows in pairs.pairs])


def _row_forms(chunk: Any, how: tuple[Any, bool]) -> Any:
    return _dense(chunk).row_forms(*how)


def _rows(chunk: Any, rows: Index) -> Any:
    return chunk[rows]
