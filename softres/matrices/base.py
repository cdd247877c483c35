"""What a solver may ask of A."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from contextvars import ContextVar, Token
from dataclasses import dataclass
from functools import cached_property
from threading import Lock
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from softres.common.arrays import array_namespace
from softres.common.errors import InputError

__all__ = ["DesignMatrix", "Index", "PassCounter"]

#: Lengths of a column that is not zero, in double and in single precision.
DOUBLE_RANGE, SINGLE_RANGE = (1e-100, 1e100), (1e-14, 1e14)

#: Row numbers, on the host.
Index = npt.NDArray[np.int64]


@dataclass
class PassCounter:
    """Work done on A, in units that do not depend on the machine.

    Its own figures are those of all work whoever asked for it; :meth:`tally` counts that of one
    caller, which several threads may be at once.

    Attributes
    ----------
    passes
        Products with A or its transpose, one per right-hand side.
    grams
        Weighted Gram matrices A^T diag(D) A, in units of one over all rows of A: a Gram matrix
        over k of the n rows counts k / n.
    """

    passes: float = 0.0
    grams: float = 0.0

    def add(self, passes: float = 0.0, grams: float = 0.0) -> None:
        """Count work, here and in the tally that is kept in this context."""
        with _ADDING:
            self.passes += passes
            self.grams += grams
        kept = _TALLY.get()
        if kept is not None and kept[0] is self:
            kept[1].passes += passes
            kept[1].grams += grams

    def start_tally(self, into: PassCounter) -> Token[Any]:
        """Count from now on what this thread, or one in its context, adds in ``into`` as well.

        One tally at a time: an inner one, of this counter or another, takes the outer's place.
        """
        return _TALLY.set((self, into))

    @staticmethod
    def stop_tally(token: Token[Any]) -> None:
        """End the tally that returned the token."""
        _TALLY.reset(token)


#: The counter that is looked at in this context, and what is counted for whom.
_TALLY: ContextVar[tuple[PassCounter, PassCounter] | None] = ContextVar("tally", default=None)
#: Held while a counter that threads share is changed.
_ADDING = Lock()


class DesignMatrix(ABC):
    """The n x d matrix A. Arrays that go in and come out are of its own kind and device.

    Attributes
    ----------
    counter
        Counts the passes over A; see :class:`PassCounter`.
    bytes_per_second
        How fast A is read, its entries counted as float64; ``None`` for the speed of memory.
    """

    #: The array library A lives in, ``"numpy"`` or ``"torch"``.
    backend: ClassVar[str]
    #: Whether only entries that differ from zero are stored.
    is_sparse: ClassVar[bool]
    #: Whether gathering many rows a few at a time costs no more than all at once.
    gathers: ClassVar[bool] = False

    def __init__(self) -> None:
        self.counter = PassCounter()
        self.bytes_per_second: float | None = None

    @property
    @abstractmethod
    def shape(self) -> tuple[int, int]:
        """Rows n and columns d."""

    @property
    @abstractmethod
    def nnz(self) -> int:
        """Stored entries."""

    @abstractmethod
    def asarray(self, values: Any) -> Any:
        """Return values from the host or of A's kind with A's kind, dtype and device."""

    @abstractmethod
    def _matmul(self, x: Any) -> Any: ...

    @abstractmethod
    def _rmatmul(self, y: Any) -> Any: ...

    @abstractmethod
    def _gram(self, weights: Any, rows: Index | None, single: bool) -> Any: ...

    @abstractmethod
    def _column_norms(self) -> Any: ...

    def in_double(self) -> DesignMatrix | None:
        """Return A in float64 where it is kept in less and fits in memory; ``None`` elsewhere."""
        return None

    @cached_property
    def column_norms(self) -> Any:
        """Euclidean norms of A's columns, shape (d,)."""
        with np.errstate(over="ignore", under="ignore"):
            return self._column_norms()

    @cached_property
    def column_scale(self) -> Any:
        """Euclidean norms of A's columns, shape (d,); for a column of zeros that of the longest.

        A size far from the others' would let the rounding of such an entry of x exceed all of x.
        It is 1 where A is zero.

        Raises
        ------
        InputError
            If products of A's entries would leave the range of its dtype.
        """
        norms = self.column_norms
        xp = array_namespace(norms)
        single = norms.dtype in (np.float32, getattr(xp, "float32", None))
        low, high = SINGLE_RANGE if single else DOUBLE_RANGE
        seen = norms > 0
        longest = xp.max(norms)
        sizes = xp.where(seen, norms, xp.where(longest > 0, longest, xp.ones_like(longest)))
        vanished = False
        if not bool(xp.all(seen)):
            # The squares of a column's entries may all vanish, where the entries do not.
            vanished = bool((self._matmul(xp.astype(~seen, norms.dtype) / low) != 0).any())
        if vanished or not bool(xp.all((low <= sizes) & (sizes <= high))):
            raise InputError(
                f"A has a column whose length lies outside {low:g} to {high:g}, where products of "
                "its entries leave the range of its dtype: divide the column by its length, and "
                "multiply that entry of x by it"
            )
        return sizes

    @abstractmethod
    def sketch(self, embedding: Any) -> Any:
        """Return S A, shape (m, d) and dense, for a sparse S of shape (m, n) in SciPy's CSC format.

        Reads A once whatever the number of rows m.
        """

    def compress(self, factors: npt.NDArray[np.float64], rows: npt.NDArray[np.int64]) -> Any:
        """Return factors @ A[rows], shape (r, d), for host factors (r, k) and row numbers (k,).

        Where A is dense the rows pass through a buffer that fits a cache.
        """
        return self.rows(rows)._rmatmul(self.asarray(factors.T)).T

    def compress_each(
        self, parts: Iterable[tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]]
    ) -> Iterator[Any]:
        """Yield :meth:`compress` of each pair of factors and row numbers, in their order.

        Where A is not in memory, all pairs together take one reading of it.
        """
        for factors, rows in parts:
            yield self.compress(factors, rows)

    def split(self, first: int) -> tuple[DesignMatrix, DesignMatrix] | None:
        """Return the first rows and the others without copying them; ``None`` where A cannot."""
        return None

    def row_forms(self, right: Any, single: bool = False) -> Any:
        """Return the squared norms of the rows of A @ right, shape (n,), for right (d, k).

        With ``single`` the product may be formed in float32, where that is faster.
        """
        product = self.matmul(right)
        xp = array_namespace(product)
        return xp.sum(product * product, axis=1)

    def squared_row_norms(self) -> Any:
        """Return the squared Euclidean norms of A's rows, shape (n,)."""
        return self.row_forms(self.asarray(np.eye(self.shape[1])))

    @abstractmethod
    def rows(self, index: npt.NDArray[Any]) -> DesignMatrix:
        """Return the rows A[index] as a matrix of the same kind; ``index`` is on the host."""

    def matmul(self, x: Any) -> Any:
        """Return A x for x of shape (d,) or (d, k), in one reading of A."""
        self.counter.add(passes=1 if x.ndim == 1 else int(x.shape[1]))
        return self._matmul(x)

    def rmatmul(self, y: Any) -> Any:
        """Return A^T y for y of shape (n,) or (n, k), in one reading of A."""
        self.counter.add(passes=1 if y.ndim == 1 else int(y.shape[1]))
        return self._rmatmul(y)

    def gram(self, weights: Any, rows: npt.NDArray[Any] | None = None, single: bool = False) -> Any:
        """Return A[rows]^T diag(weights) A[rows], shape (d, d) and symmetric.

        A is read in row blocks that fit a cache, and neither A nor the chosen rows are ever
        copied as a whole.

        Parameters
        ----------
        weights
            Weights of any sign, shape (n,), or (k,) where ``rows`` are given; of A's kind.
        rows
            Row numbers from 0 to n - 1 on the host, shape (k,), in any order and with
            repetitions; all rows when left out.
        single
            Round each block to float32 and multiply and add there, at about twice the speed. The
            result has A's dtype and a relative error of about 1e-6 times the largest entry:
            eigenvalues below that are lost. A sparse SciPy A ignores it.

        Raises
        ------
        InputError
            If there is not one weight for each row.
        """
        n = self.shape[0]
        index = None if rows is None else np.ascontiguousarray(rows, dtype=np.int64)
        count = n if index is None else len(index)
        if tuple(weights.shape) != (count,):
            raise InputError(f"{count} rows need as many weights, not {tuple(weights.shape)}")
        if index is not None and count and not (index.min() >= 0 and index.max() < n):
            raise InputError(f"rows of A are numbered from 0 to {n - 1}")
        self.counter.add(grams=count / n)
        return self._gram(weights, index, single)
