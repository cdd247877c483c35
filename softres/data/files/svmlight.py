"""Files of svmlight and LIBSVM, a line ``LABEL COLUMN:VALUE ...`` for a row."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

from scipy import sparse

from softres.data.files.text_files import read_text

__all__ = ["read_svmlight"]


def read_svmlight(path: Path, where: str) -> dict[str, Any]:
    """Return the CSR matrix of a file and its labels, read by scikit-learn.

    Columns count from 1, or from 0 where one of that number is used.

    Raises
    ------
    InputError
        If it unpacks to more than memory allows.
    ValueError, OSError, EOFError
        If the file cannot be read, or a line has several labels.
    """
    from sklearn.datasets import load_svmlight_file

    found, labels = load_svmlight_file(BytesIO(read_text(path, where)), zero_based="auto")
    if found.shape[0] == 0:
        raise ValueError("it has no rows")
    return {"A": sparse.csr_array(found), "b": labels}
