"""Matrix Market files, read so that a damaged one is an error.

SciPy's own reader ends the whole process with a segmentation fault on some files that are cut
off (SciPy 1.17), so it is not used.

Source of the format: Boisvert, Pozo and Remington, "The Matrix Market Exchange Formats", NISTIR
5935, 1996.
"""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any, TextIO, cast

import numpy as np
import numpy.typing as npt
from scipy import sparse

__all__ = ["read_matrix_market"]

_FIELDS = ("real", "double", "integer", "pattern")
_MIRRORED = {"general": 0.0, "symmetric": 1.0, "skew-symmetric": -1.0}


def read_matrix_market(path: Path) -> Any:
    """Return the matrix of a file, plain or compressed with gzip.

    Returns
    -------
    coo_array or ndarray
        float64, n x d: sparse for the coordinate format, dense for the array format.

    Raises
    ------
    ValueError, OSError, EOFError
        If the file cannot be read, is no real matrix, or does not hold what its head announces.
    """
    with _opened(path) as stream:
        words = stream.readline().lower().split()
        if len(words) != 5 or words[:2] != ["%%matrixmarket", "matrix"]:
            raise ValueError("its first line is not that of a matrix")
        layout, field, symmetry = words[2:]
        if field not in _FIELDS or symmetry not in _MIRRORED:
            raise ValueError(f"a matrix that is {field} and {symmetry} is not real")
        size = _size(stream)
        if layout == "coordinate" and len(size) == 3:
            n, d, count = size
            body = _body(stream, count, 2 if field == "pattern" else 3)
            return _coordinates(body, (n, d), _MIRRORED[symmetry])
        if layout == "array" and len(size) == 2 and field != "pattern":
            if symmetry != "general":
                raise ValueError(f"a {symmetry} matrix in array format is not supported")
            n, d = size
            return np.ascontiguousarray(_body(stream, n * d, 1).reshape(d, n).T)
    raise ValueError(f"it announces a matrix in {layout} format of size {size}")


def _opened(path: Path) -> TextIO:
    if path.name.endswith(".gz"):
        return cast(TextIO, gzip.open(path, "rt", encoding="utf-8"))
    return path.open(encoding="utf-8")


def _size(stream: TextIO) -> list[int]:
    for line in stream:
        if line.strip() and not line.startswith("%"):
            return [int(word) for word in line.split()]
    raise ValueError("it ends before the size of the matrix")


def _body(stream: TextIO, count: int, columns: int) -> npt.NDArray[np.float64]:
    """Return the numbers after the head, shape (count, columns)."""
    import pandas as pd

    if count == 0:
        return np.empty((0, columns))
    body = pd.read_csv(
        stream, sep=r"\s+", header=None, names=list(range(columns)), comment="%", dtype=np.float64,
        index_col=False, on_bad_lines="error",
    ).to_numpy()  # fmt: skip
    if len(body) != count:
        raise ValueError(f"it announces {count} entries, but holds {len(body)}")
    return np.asarray(body, dtype=np.float64)


def _coordinates(body: npt.NDArray[np.float64], shape: tuple[int, int], mirrored: float) -> Any:
    index, limits = body[:, :2], np.array(shape, dtype=np.float64)
    # Written so that NaN, where a line is short, does not pass.
    if not ((index >= 1) & (index <= limits) & (index == np.floor(index))).all():
        raise ValueError(f"an entry lies outside the {shape[0]} x {shape[1]} matrix")
    row, column = index.astype(np.int64).T - 1
    values = body[:, 2] if body.shape[1] == 3 else np.ones(len(body))
    if mirrored:
        beside = row != column
        row, column = np.r_[row, column[beside]], np.r_[column, row[beside]]
        values = np.r_[values, mirrored * values[beside]]
        if (row >= shape[0]).any() or (column >= shape[1]).any():
            raise ValueError("a symmetric matrix must be square")
    return sparse.coo_array((values, (row, column)), shape=shape)
