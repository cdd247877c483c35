"""Matrix Market files, read by SciPy so that a damaged one is an error."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse

from softres.data.files.budget import claim
from softres.data.files.text_files import open_text, read_text

__all__ = ["read_matrix_market"]

#: Bytes that a line has at most (the format's own limit is 1024), and that the comments have.
_LINE, _COMMENTS = 1 << 16, 1 << 20
#: Bytes that the line of one entry has at least, and at most.
_SHORTEST, _LONGEST = 2, 256


def read_matrix_market(path: Path, where: str = "") -> Any:
    """Return the matrix of a file, plain or compressed.

    Parameters
    ----------
    path
        The file.
    where
        The option that names it, with which an error starts.

    Returns
    -------
    coo_array or ndarray
        float64, n x d: sparse for the coordinate format, dense for the array format.

    Raises
    ------
    InputError
        If it announces more than memory allows.
    ValueError, OSError, EOFError
        If the file cannot be read, is no real matrix, or does not hold what its head announces.
    """
    from scipy.io import mmread

    entries, size, comments = _announced(path)
    claim(size, where or path.name, "the matrix that it announces")
    # SciPy 1.17 ends the process at a byte 0, and at a last line such as "1 1 1e" without its end.
    most = None if entries is None else comments + _LINE + _LONGEST * entries
    content = read_text(path, where or path.name, most)
    if entries is not None and len(content) < _SHORTEST * entries:
        raise ValueError(f"it announces {entries} entries and has {len(content)} bytes")
    content += b"\n"
    try:
        found = mmread(BytesIO(content))
    except (OverflowError, MemoryError) as error:
        raise ValueError(str(error) or "it announces more than fits in memory") from None
    if found.dtype.kind not in "fiu":
        raise ValueError(f"a {found.dtype} matrix is not real")
    if sparse.issparse(found):
        return sparse.coo_array(found, dtype=np.float64)
    return np.ascontiguousarray(found, dtype=np.float64)


def _announced(path: Path) -> tuple[int | None, int, int]:
    """Return the entries that a file announces, the bytes that they take, and its comments'.

    No entries where the head is not one that SciPy will take: it says why.
    """
    comments = 0
    with open_text(path) as stream:
        words = stream.readline(_LINE).decode("latin-1").lower().split()
        while True:
            line = stream.readline(_LINE)
            if not line or not (line.startswith(b"%") or not line.strip()):
                break
            comments += len(line)
            if not line.endswith(b"\n") or comments > _COMMENTS:
                raise ValueError(f"its comments have more than {min(_LINE, _COMMENTS)} bytes")
    sizes = line.split()
    if len(words) < 3 or not all(word.isdigit() and len(word) < 19 for word in sizes):
        return None, 0, comments
    if words[2] == "coordinate" and len(sizes) == 3:
        n, _, entries = map(int, sizes)
        copies = 1 if words[-1] == "general" else 2
        return entries, 24 * copies * entries + 8 * n, comments
    if words[2] == "array" and len(sizes) == 2:
        n, d = map(int, sizes)
        entries = n * d if words[-1] == "general" else n * (n - 1) // 2
        return entries, 8 * n * d, comments
    return None, 0, comments
