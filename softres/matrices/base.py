"""What a solver may ask of A."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy.typing as npt
from array_api_compat import array_namespace

__all__ = ["DesignMatrix", "PassCounter"]


@dataclass
class PassCounter:
    """Work done on A, in units that do not depend on the machine.

    Attributes
    ----------
    passes
        Products with A or its transpose, one per right-hand side.
    grams
        Weighted Gram matrices A^T diag(D) A of the whole of A.
    """

    passes: int = 0
    grams: int = 0


class DesignMatrix(ABC):
    """The n x d matrix A. Arrays that go in and come out are of its own kind and device.

    Attributes
    ----------
    counter
        Counts the passes over A; see :class:`PassCounter`.
    """

    #: The array library A lives in, ``"numpy"`` or ``"torch"``.
    backend: ClassVar[str]

    def __init__(self) -> None:
        self.counter = PassCounter()

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
    def _gram(self, weights: Any) -> Any: ...

    @abstractmethod
    def _column_norms(self) -> Any: ...

    @cached_property
    def column_scale(self) -> Any:
        """Euclidean norms of A's columns, shape (d,), with 1 for a column of zeros."""
        norms = self._column_norms()
        xp = array_namespace(norms)
        return xp.where(norms > 0, norms, xp.ones_like(norms))

    @abstractmethod
    def sketch(self, embedding: Any) -> Any:
        """Return S A, shape (m, d) and dense, for a sparse S of shape (m, n) in SciPy's CSC format.

        Reads A once whatever the number of rows m.
        """

    @abstractmethod
    def rows(self, index: npt.NDArray[Any]) -> DesignMatrix:
        """Return the rows A[index] as a matrix of the same kind; ``index`` is on the host."""

    def matmul(self, x: Any) -> Any:
        """Return A x for x of shape (d,) or (d, k), in one reading of A."""
        self.counter.passes += 1 if x.ndim == 1 else int(x.shape[1])
        return self._matmul(x)

    def rmatmul(self, y: Any) -> Any:
        """Return A^T y for y of shape (n,) or (n, k), in one reading of A."""
        self.counter.passes += 1 if y.ndim == 1 else int(y.shape[1])
        return self._rmatmul(y)

    def gram(self, weights: Any) -> Any:
        """Return A^T diag(weights) A, shape (d, d), for weights (n,) of any sign.

        A is read in row blocks and never copied as a whole.
        """
        self.counter.grams += 1
        return self._gram(weights)
