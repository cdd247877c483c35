"""Elementwise work on long vectors, a piece at a time that fits a core's cache."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["Pieces", "by_chunks"]

#: Entries of one piece: a dozen pieces of float64 fill a megabyte.
CHUNK_ENTRIES = 8192

#: Arrays of a piece's shape, and numbers to be added up.
Pieces = tuple[tuple[Any, ...], tuple[float, ...]]


def by_chunks(function: Callable[..., Pieces], *vectors: Any) -> Pieces:
    """Apply an elementwise function to chunks of vectors, and join what it returns.

    A chain of operations on whole vectors reads and writes memory at every link; on a piece that
    stays in the cache it does so once. torch tensors are passed whole, for a device's sake.

    Parameters
    ----------
    function
        Takes one piece of each vector; returns arrays of the pieces' shape, and numbers.
    vectors
        Of shape (n,) each.

    Returns
    -------
    The arrays of shape (n,), and the sums of the numbers over the pieces.
    """
    n = vectors[0].shape[0]
    if n <= 2 * CHUNK_ENTRIES or not isinstance(vectors[0], np.ndarray):
        return function(*vectors)
    joined: tuple[Any, ...] = ()
    sums: list[float] = []
    for start in range(0, n, CHUNK_ENTRIES):
        piece = slice(start, start + CHUNK_ENTRIES)
        arrays, numbers = function(*(vector[piece] for vector in vectors))
        if start == 0:
            joined = tuple(np.empty(n, dtype=array.dtype) for array in arrays)
            sums = [0.0] * len(numbers)
        for whole, array in zip(joined, arrays, strict=True):
            whole[piece] = array
        sums = [total + number for total, number in zip(sums, numbers, strict=True)]
    return joined, tuple(sums)
