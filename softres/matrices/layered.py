"""The matrix of a model with several layers: one block of rows and of columns for each layer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from softres.common.arrays import array_namespace
from softres.common.errors import InputError
from softres.matrices.base import DesignMatrix, Index
from softres.matrices.convert import as_matrix

__all__ = ["LayeredMatrix", "layered_matrix"]

#: Columns that are multiplied at once where two layers have different matrices.
CROSS_COLUMNS = 32


class LayeredMatrix(DesignMatrix):
    """blockdiag(A_1, .., A_L), of shape (n L, d L), over layers of n x d; it is never formed.

    Vectors stand layer by layer: z of shape (n L,) holds A_1 x_1, then A_2 x_2, and so on. Row i of
    every layer belongs together, so that the weights of a Gram matrix may be blocks of L x L, one
    for each i. Layers that share one A read it once for all of them. A pass is a product with the
    matrix of all layers, and a Gram matrix one with all blocks.

    Parameters
    ----------
    layers
        A_1 to A_L, of the same kind and shape; the same object where they share one A.
    """

    is_sparse: ClassVar[bool] = True

    def __init__(self, layers: Sequence[DesignMatrix]) -> None:
        super().__init__()
        self.layers = tuple(layers)
        self._one = self.layers[0] if all(A is layers[0] for A in layers) else None
        self.bytes_per_second = self.layers[0].bytes_per_second

    @property
    def depth(self) -> int:
        """L."""
        return len(self.layers)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows n L and columns d L."""
        n, d = self.layers[0].shape
        return n * self.depth, d * self.depth

    @property
    def nnz(self) -> int:
        """Stored entries of all layers, one that they share counted for each."""
        return sum(A.nnz for A in self.layers)

    def asarray(self, values: Any) -> Any:
        """Return values with the kind, dtype and device of the layers."""
        return self.layers[0].asarray(values)

    def in_double(self) -> DesignMatrix | None:
        """Return A in float64; see :meth:`DesignMatrix.in_double`."""
        double = {id(A): A.in_double() for A in self.layers}
        found = [double[id(A)] for A in self.layers]
        whole = [A for A in found if A is not None]
        return type(self)(whole) if len(whole) == self.depth else None

    def _matmul(self, x: Any) -> Any:
        return self._by_layers(x, 1, lambda A, part: A._matmul(part))

    def _rmatmul(self, y: Any) -> Any:
        return self._by_layers(y, 0, lambda A, part: A._rmatmul(part))

    def _by_layers(self, stacked: Any, axis: int, product: Any) -> Any:
        """Apply a product to each layer's part; for one A to all parts at once, side by side."""
        xp, depth = array_namespace(stacked), self.depth
        size = self.layers[0].shape[axis]
        parts = xp.reshape(stacked, (depth, size, -1))
        if self._one is None:
            done = [product(A, parts[k]) for k, A in enumerate(self.layers)]
            result = xp.concat(done, axis=0)
        else:
            sides = xp.reshape(xp.permute_dims(parts, (1, 0, 2)), (size, -1))
            apart = xp.reshape(product(self._one, sides), (-1, depth, parts.shape[2]))
            result = xp.reshape(xp.permute_dims(apart, (1, 0, 2)), (-1, parts.shape[2]))
        return result[:, 0] if stacked.ndim == 1 else result

    def gram(self, weights: Any, rows: npt.NDArray[Any] | None = None, single: bool = False) -> Any:
        """Return A^T B A, shape (d L, d L), for a B that mixes the layers of each row.

        Parameters
        ----------
        weights
            Blocks B_i, shape (L, L, n), or (L, L, k) where ``rows`` are given, symmetric; or a
            diagonal, shape (n L,).
        rows
            Numbers from 0 to n - 1, each of them for the row of all layers; all when left out.
        single
            See :meth:`DesignMatrix.gram`.

        Raises
        ------
        InputError
            If the weights are of another shape.
        """
        n, depth = self.layers[0].shape[0], self.depth
        count = n if rows is None else len(rows)
        if tuple(weights.shape) not in {(depth, depth, count), (count * depth,)}:
            raise InputError(
                f"{count} rows of {depth} layers need blocks of shape {(depth, depth, count)}, "
                f"not {tuple(weights.shape)}"
            )
        self.counter.add(grams=count / n)
        index = None if rows is None else np.ascontiguousarray(rows, dtype=np.int64)
        return self._gram(weights, index, single)

    def _gram(self, weights: Any, rows: Index | None, single: bool) -> Any:
        xp, depth = array_namespace(weights), self.depth
        d = self.layers[0].shape[1]
        mixed = weights.ndim == 3
        parts = weights if mixed else xp.reshape(weights, (depth, -1))
        total = xp.zeros((depth * d, depth * d), dtype=weights.dtype, device=weights.device)
        for i in range(depth):
            for j in range(i, depth if mixed else i + 1):
                block = self._block(i, j, parts[i, j] if mixed else parts[i], rows, single)
                total[i * d : (i + 1) * d, j * d : (j + 1) * d] = block
                total[j * d : (j + 1) * d, i * d : (i + 1) * d] = block.T
        return total

    def _block(self, i: int, j: int, weights: Any, rows: Index | None, single: bool) -> Any:
        """Return A_i^T diag(weights) A_j, shape (d, d)."""
        left, right = self.layers[i], self.layers[j]
        if left is right:
            return left.gram(weights, rows, single)
        if rows is not None:
            left, right = left.rows(rows), right.rows(rows)
        xp, d = array_namespace(weights), right.shape[1]
        columns = np.eye(d)
        done = []
        for start in range(0, d, CROSS_COLUMNS):
            some = right.asarray(columns[:, start : start + CROSS_COLUMNS])
            done.append(left._rmatmul(weights[:, None] * right._matmul(some)))
        return xp.concat(done, axis=1)

    def _column_norms(self) -> Any:
        norms = [A.column_norms for A in self.layers]
        return array_namespace(norms[0]).concat(norms)

    def sketch(self, embedding: Any) -> Any:
        """Return S A; see :meth:`DesignMatrix.sketch`."""
        n = self.layers[0].shape[0]
        done = [A.sketch(embedding[:, k * n : (k + 1) * n]) for k, A in enumerate(self.layers)]
        return array_namespace(done[0]).concat(done, axis=1)

    def rows(self, index: npt.NDArray[Any]) -> LayeredMatrix:
        """Return row i of every layer for each number i of ``index``, from 0 to n - 1."""
        parts = {id(A): A.rows(index) for A in self.layers}
        return type(self)([parts[id(A)] for A in self.layers])


class _LayeredNumpy(LayeredMatrix):
    backend: ClassVar[str] = "numpy"


class _LayeredTorch(LayeredMatrix):
    backend: ClassVar[str] = "torch"


def layered_matrix(A: Any, layers: int) -> DesignMatrix:
    """Return the matrix of a number of layers; that of one layer is A itself.

    Parameters
    ----------
    A
        One matrix for all layers, or a list or tuple with one for each; see
        :func:`softres.matrices.as_matrix`.
    layers
        L.

    Raises
    ------
    InputError
        If A cannot be used, or there is not one for each layer, of the same shape and kind.
    """
    if not isinstance(A, list | tuple):
        one = as_matrix(A)
        parts = [one] * layers
    else:
        parts = [as_matrix(part) for part in A]
        if len(parts) != layers:
            raise InputError(f"A: {len(parts)} matrices for layers={layers}; one for each layer")
        kinds = {(type(part), part.shape, str(part.asarray([0.0]).dtype)) for part in parts}
        if len(kinds) > 1:
            raise InputError("A: the matrices of the layers differ in shape, kind or dtype")
    if layers == 1:
        return parts[0]
    return (_LayeredTorch if parts[0].backend == "torch" else _LayeredNumpy)(parts)
