"""Weighted Gram matrices of one A for many weights at once."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from softres.common.arrays import array_namespace
from softres.matrices import DenseNumpy, DesignMatrix

__all__ = ["weighted_grams"]

#: Columns of A up to which products of columns are formed and multiplied with all weights.
WIDEST = 128
#: Weights from which that pays: fewer do not repay the products.
FEWEST = 6
#: Bytes of one block of products.
BLOCK_BYTES = 2 << 20


def weighted_grams(matrix: DesignMatrix, weights: Any, single: bool) -> Any:
    """Return A^T diag(weights[t]) A for every t, shape (k, d, d).

    For a dense A on the host with few columns all of them are one matrix product: the entries of
    a_i a_i^T, d (d + 1) / 2 of them, are row i of a matrix K that is formed a block of rows at a
    time, and weights @ K holds the upper triangles. The work is that of k symmetric updates, at
    the speed of a product of large matrices. Elsewhere they are formed one after the other.

    Parameters
    ----------
    weights
        Of any sign, shape (k, n), of A's kind.
    single
        Multiply and add in float32; see :meth:`softres.matrices.DesignMatrix.gram`.
    """
    if isinstance(matrix, DenseNumpy) and matrix.shape[1] <= WIDEST and len(weights) >= FEWEST:
        matrix.counter.add(grams=len(weights))
        return _by_products(matrix.array, weights, single)
    xp = array_namespace(weights)
    return xp.stack([matrix.gram(row, single=single) for row in weights])


def _by_products(A: npt.NDArray[Any], weights: npt.NDArray[Any], single: bool) -> npt.NDArray[Any]:
    n, d = A.shape
    k = len(weights)
    dtype = np.dtype(np.float32) if single else A.dtype
    # Weights of one are at the centre of float32's range; those of a softmax may leave it.
    scale = np.max(np.abs(weights), axis=1, keepdims=True)
    scale = np.where((scale > 0) & np.isfinite(scale), scale, 1.0)
    left, right = np.triu_indices(d)
    starts = np.concatenate([[0], np.cumsum(np.arange(d, 0, -1))])
    step = max(32, BLOCK_BYTES // (len(left) * dtype.itemsize))
    products = np.empty((step, len(left)), dtype=dtype)
    total = np.zeros((k, len(left)), dtype=dtype)
    part = np.empty_like(total)
    for start in range(0, n, step):
        block = A[start : start + step].astype(dtype, copy=False)
        product = products[: len(block)]
        for j in range(d):
            np.multiply(
                block[:, j:], block[:, j : j + 1], out=product[:, starts[j] : starts[j + 1]]
            )
        scaled = (weights[:, start : start + step] / scale).astype(dtype, copy=False)
        total += np.matmul(scaled, product, out=part)
    full = np.empty((k, d, d), dtype=A.dtype)
    upper = total * scale
    full[:, left, right] = upper
    full[:, right, left] = upper
    return full
