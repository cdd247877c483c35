"""A1 (x) A2, the matrix of a model whose unknown is a matrix, by its two factors alone."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from softres.common.arrays import array_namespace
from softres.common.errors import InputError
from softres.matrices.base import DesignMatrix, Index
from softres.matrices.convert import as_matrix
from softres.matrices.dense import DenseNumpy, DenseTorch

__all__ = ["KroneckerMatrix", "kronecker_matrix"]

#: Rows of A2 whose products of two entries are held at once.
PAIR_ROWS = 256


class KroneckerMatrix(DesignMatrix):
    """A1 (x) A2 of shape (n1 n2, d1 d2); it is never formed.

    Vectors stand row by row: x of shape (d1 d2,) is X (d1 x d2), and z = A x is A1 X A2^T (n1 x
    n2). A weighted Gram matrix is a sum over pairs of columns: with a1 (x) a1 for the rows of K1
    (n1 x d1^2), and A2^T B_j A2 for those of M (n1 x d2^2), it is K1^T M with its entries in
    another order. By symmetry a quarter of n1 n2 d2^2 + n1 d1^2 d2^2 products, in memory of the
    size of K1, M and the result.

    Parameters
    ----------
    left, right
        A1 (n1 x d1) and A2 (n2 x d2), dense and of one kind.
    """

    is_sparse: ClassVar[bool] = False

    def __init__(self, left: DenseNumpy | DenseTorch, right: DenseNumpy | DenseTorch) -> None:
        super().__init__()
        self.left, self.right = left, right
        self.A1: Any = _array(left)
        self.A2: Any = _array(right)

    @property
    def blocks(self) -> tuple[int, int]:
        """n1 and n2."""
        return self.left.shape[0], self.right.shape[0]

    @property
    def shape(self) -> tuple[int, int]:
        """Rows n1 n2 and columns d1 d2."""
        (n1, d1), (n2, d2) = self.left.shape, self.right.shape
        return n1 * n2, d1 * d2

    @property
    def nnz(self) -> int:
        """Stored entries: those of the factors."""
        return self.left.nnz + self.right.nnz

    def asarray(self, values: Any) -> Any:
        """Return values with the kind, dtype and device of the factors."""
        return self.left.asarray(values)

    def in_double(self) -> DesignMatrix | None:
        """Return A in float64; see :meth:`DesignMatrix.in_double`."""
        left, right = self.left.in_double(), self.right.in_double()
        if left is None or right is None:
            return None
        return type(self)(left, right)  # type: ignore[arg-type]

    def _matmul(self, x: Any) -> Any:
        xp = array_namespace(x)
        if x.ndim == 1:
            X = xp.reshape(x, (self.A1.shape[1], -1))
            return xp.reshape(self.A1 @ X @ self.A2.T, (-1,))
        return xp.stack([self._matmul(x[:, k]) for k in range(x.shape[1])], axis=1)

    def _rmatmul(self, y: Any) -> Any:
        xp = array_namespace(y)
        if y.ndim == 1:
            Y = xp.reshape(y, self.blocks)
            return xp.reshape(self.A1.T @ (Y @ self.A2), (-1,))
        return xp.stack([self._rmatmul(y[:, k]) for k in range(y.shape[1])], axis=1)

    def gram(self, weights: Any, rows: npt.NDArray[Any] | None = None, single: bool = False) -> Any:
        """Return A^T B A, shape (d1 d2, d1 d2), for a B of n1 blocks.

        Parameters
        ----------
        weights
            D, v and h of the blocks diag(D_j) + v_j h_j^T + h_j v_j^T, shape (3, n1, n2); or a
            diagonal, shape (n1 n2,), or (k,) where ``rows`` are given.
        rows
            With a diagonal: see :meth:`DesignMatrix.gram`.
        single
            Ignored: sums over pairs are formed in the precision of A.

        Raises
        ------
        InputError
            If the weights are of another shape.
        """
        if weights.ndim == 1:
            return super().gram(weights, rows, single)
        if tuple(weights.shape) != (3, *self.blocks) or rows is not None:
            raise InputError(f"blocks need weights of shape {(3, *self.blocks)} for all rows")
        self.counter.add(grams=1.0)
        return self._of_blocks(weights[0], weights[1] @ self.A2, weights[2] @ self.A2)

    def _gram(self, weights: Any, rows: Index | None, single: bool) -> Any:
        if rows is not None:
            chosen: DenseNumpy | DenseTorch = self.rows(rows)
            return chosen._gram(weights, None, False)
        xp = array_namespace(weights)
        return self._of_blocks(xp.reshape(weights, self.blocks), None, None)

    def _of_blocks(self, D: Any, left: Any | None, right: Any | None) -> Any:
        """Return the Gram matrix for D, and A2^T v_j and A2^T h_j as rows, shape (n1, d2)."""
        xp = array_namespace(D)
        first, second = np.triu_indices(self.A2.shape[1])
        pairs = None
        for start in range(0, self.blocks[1], PAIR_ROWS):
            some = self.A2[start : start + PAIR_ROWS]
            part = D[:, start : start + PAIR_ROWS] @ (some[:, first] * some[:, second])
            pairs = part if pairs is None else pairs + part
        if left is not None and right is not None:
            pairs = pairs + left[:, first] * right[:, second] + right[:, first] * left[:, second]
        one, other = np.triu_indices(self.A1.shape[1])
        sums = (self.A1[:, one] * self.A1[:, other]).T @ pairs
        spread = sums[_full(one, other)][:, :, _full(first, second)]  # (d1, d1, d2, d2)
        return xp.reshape(xp.permute_dims(spread, (0, 2, 1, 3)), (self.shape[1], self.shape[1]))

    def _column_norms(self) -> Any:
        xp = array_namespace(self.A1)
        products = self.left.column_norms[:, None] * self.right.column_norms[None, :]
        return xp.reshape(products, (-1,))

    def sketch(self, embedding: Any) -> Any:
        """Return S A, a row at a time: each is A1^T S_i A2 for a row of S as n1 x n2."""
        rows = embedding.tocsr()
        done = [self._rmatmul(self.asarray(rows[[k]].toarray()[0])) for k in range(rows.shape[0])]
        return array_namespace(done[0]).stack(done)

    def rows(self, index: npt.NDArray[Any]) -> Any:
        """Return the rows A[index] as a dense matrix."""
        first, second = np.divmod(np.asarray(index, dtype=np.int64), self.blocks[1])
        xp = array_namespace(self.A1)
        products = self.A1[first][:, :, None] * self.A2[second][:, None, :]
        return as_matrix(xp.reshape(products, (len(first), -1)))


class KroneckerNumpy(KroneckerMatrix):
    """The factors are NumPy arrays."""

    backend: ClassVar[str] = "numpy"


class KroneckerTorch(KroneckerMatrix):
    """The factors are tensors."""

    backend: ClassVar[str] = "torch"


def _array(matrix: DenseNumpy | DenseTorch) -> Any:
    return matrix.array if isinstance(matrix, DenseNumpy) else matrix.tensor


def _full(first: Any, second: Any) -> Any:
    """Return the number of each pair of columns, shape (d, d), from those of the upper triangle."""
    d = int(first[-1]) + 1
    numbers = np.zeros((d, d), dtype=np.int64)
    numbers[first, second] = numbers[second, first] = np.arange(len(first))
    return numbers


def kronecker_matrix(left: Any, right: Any) -> KroneckerMatrix:
    """Return A1 (x) A2 for two matrices; see :func:`softres.matrices.as_matrix` for their kinds.

    Raises
    ------
    InputError
        If one cannot be used, is sparse, or the two are of different kinds.
    """
    factors = []
    for name, given in (("A1", left), ("A2", right)):
        try:
            matrix = as_matrix(given)
        except InputError as error:
            raise InputError(f"{name}: {error}") from None
        if not isinstance(matrix, DenseNumpy | DenseTorch):
            raise InputError(f"{name}: a dense array or tensor is needed")
        factors.append(matrix)
    one, other = factors
    if type(one) is not type(other) or _array(one).dtype != _array(other).dtype:
        raise InputError("A1 and A2 differ in kind or dtype: hand in both alike")
    kind = KroneckerNumpy if isinstance(one, DenseNumpy) else KroneckerTorch
    return kind(one, other)
