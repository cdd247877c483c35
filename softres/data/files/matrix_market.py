"""Matrix Market files, read by SciPy so that a damaged one is an error."""

from __future__ import annotations

import gzip
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse

__all__ = ["read_matrix_market"]


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
    from scipy.io import mmread

    content = gzip.decompress(path.read_bytes()) if path.name.endswith(".gz") else path.read_bytes()
    # SciPy 1.17 ends the process at a byte 0, and at a last line such as "1 1 1e" without its end.
    if b"\0" in content:
        raise ValueError("it is no text")
    try:
        found = mmread(BytesIO(content + b"\n"))
    except (OverflowError, MemoryError) as error:
        raise ValueError(str(error) or "it announces more than fits in memory") from None
    if found.dtype.kind not in "fiu":
        raise ValueError(f"a {found.dtype} matrix is not real")
    if sparse.issparse(found):
        return sparse.coo_array(found, dtype=np.float64)
    return np.ascontiguousarray(found, dtype=np.float64)
