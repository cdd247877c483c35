"""Sparse matrices and lists of text as plain arrays, which the cache can keep."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

__all__ = ["pack_counts", "pack_text", "unpack_counts", "unpack_text"]

_END = b"\xff"


def pack_counts(A: Any) -> dict[str, npt.NDArray[Any]]:
    """Return the parts of a CSR array of counts from 0 to 255, a byte each.

    Raises
    ------
    ValueError
        If an entry is no such count.
    """
    data = A.data.astype(np.uint8)
    if (data != A.data).any():
        raise ValueError("the entries must be whole numbers from 0 to 255")
    return {
        "data": data,
        "indices": A.indices.astype(np.int32),
        "indptr": A.indptr.astype(np.int32),
        "shape": np.array(A.shape),
    }


def unpack_counts(arrays: Mapping[str, npt.NDArray[Any]]) -> Any:
    """Return the float64 CSR array that :func:`pack_counts` took apart."""
    parts = (arrays["data"].astype(np.float64), arrays["indices"], arrays["indptr"])
    n, d = arrays["shape"].tolist()
    return sparse.csr_array(parts, shape=(n, d))


def pack_text(lines: Sequence[str]) -> npt.NDArray[np.uint8]:
    """Return strings as UTF-8, each ended by the byte 255, which UTF-8 never contains.

    An array of strings would give every string the room of the longest one.
    """
    joined = b"".join(line.encode() + _END for line in lines)
    return np.frombuffer(joined, dtype=np.uint8)


def unpack_text(packed: npt.NDArray[np.uint8]) -> tuple[str, ...]:
    """Return the strings that :func:`pack_text` joined."""
    return tuple(line.decode() for line in packed.tobytes().split(_END)[:-1])
