"""Sums of scaled row blocks B^T B on the host, by BLAS's symmetric rank-k update."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.linalg import blas

__all__ = ["BlockSum", "add_rows", "block_rows", "by_sign"]

#: Fewest rows of a block: below, BLAS is no longer efficient.
LEAST_ROWS = 64


def block_rows(d: int, itemsize: int, budget: int) -> int:
    """Return how many rows of d entries fit a budget of bytes, at least :data:`LEAST_ROWS`."""
    return max(LEAST_ROWS, budget // (d * itemsize))


class BlockSum:
    """The sum of factor * B^T B over blocks B that are written into one buffer.

    A symmetric update does half the work of a general product and keeps the sum symmetric to the
    last bit; only its lower triangle is formed.

    Parameters
    ----------
    d
        Columns.
    dtype
        float64, or float32 to multiply and add in single precision.
    rows
        Rows of the buffer.

    Attributes
    ----------
    buffer
        Shape (rows, d); the caller fills its first rows.
    """

    def __init__(self, d: int, dtype: Any, rows: int) -> None:
        self._update = blas.ssyrk if dtype == np.float32 else blas.dsyrk
        # BLAS adds into a column-major matrix in place.
        self._sum = np.zeros((d, d), dtype=dtype, order="F")
        self.buffer = np.empty((rows, d), dtype=dtype)

    def add(self, count: int, factor: float) -> None:
        """Add factor * B^T B for B the first ``count`` rows of the buffer."""
        block = self.buffer[:count]
        self._sum = self._update(factor, block.T, beta=1.0, c=self._sum, lower=1, overwrite_c=1)

    def total(self, dtype: Any) -> npt.NDArray[Any]:
        """Return the sum, shape (d, d), with both triangles."""
        full = np.add(self._sum, self._sum.T, dtype=dtype)
        # The upper triangle was never written to, so that only the diagonal was added twice.
        full.flat[:: len(full) + 1] = self._sum.diagonal()
        return full


def add_rows(
    total: BlockSum,
    array: npt.NDArray[Any],
    weights: npt.NDArray[Any],
    rows: npt.NDArray[np.int64] | None,
) -> None:
    """Add array[rows]^T diag(weights) array[rows] to a sum, a buffer's length at a time.

    Parameters
    ----------
    total
        The sum; its dtype is the one that is multiplied and added in.
    array
        Shape (n, d).
    weights
        Of any sign, one for each row.
    rows
        Row numbers, which are not checked; all rows where ``None``.
    """
    step, dtype = len(total.buffer), total.buffer.dtype
    convert = dtype != array.dtype
    gathered = np.empty((step, array.shape[1]), dtype=array.dtype) if convert else total.buffer
    for multiple, roots, part in by_sign(weights, rows):
        factors = roots.astype(dtype, copy=False)[:, None]
        for start in range(0, len(factors), step):
            factor = factors[start : start + step]
            scaled = total.buffer[: len(factor)]
            if part is None:
                block = array[start : start + step]
            else:
                block = gathered[: len(factor)]
                # The numbers are checked already; mode="raise" would gather into a copy.
                np.take(array, part[start : start + step], 0, out=block, mode="clip")
            if convert:
                # Rounding and then scaling takes half as long as scaling with a cast.
                np.copyto(scaled, block, casting="same_kind")
                scaled *= factor
            else:
                np.multiply(block, factor, out=scaled)
            total.add(len(factor), multiple)


def by_sign(
    weights: npt.NDArray[Any], rows: npt.NDArray[np.int64] | None
) -> list[tuple[float, npt.NDArray[Any], npt.NDArray[np.int64] | None]]:
    """Split weighted rows into parts that symmetric updates can take.

    With |weights| all rows come first, read in order; those of negative weight are then taken off
    twice. They are few as a rule, and gathering only these is cheaper than gathering both kinds.

    Returns
    -------
    Triples of a factor, the roots of the weights' absolute values, and the rows (``None``: all of
    them). A symmetric update for each triple costs no more than a general product, which takes
    weights of any sign at once.
    """
    roots = np.sqrt(np.abs(weights))
    (at,) = (weights < 0).nonzero()
    parts: list[tuple[float, npt.NDArray[Any], npt.NDArray[np.int64] | None]] = [(1.0, roots, rows)]
    if len(at) == len(weights):
        return [(-1.0, roots, rows)]
    if len(at):
        parts.append((-2.0, roots[at], at if rows is None else rows[at]))
    return parts
