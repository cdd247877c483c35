"""The file formats that a user's data may come in; nothing is ever unpickled."""

from __future__ import annotations

import zipfile
import zlib
from typing import Any

from softres.common.errors import InputError
from softres.common.paths import regular_file
from softres.data.files.matrix_market import read_matrix_market
from softres.data.files.names import Names
from softres.data.files.numpy_files import read_npy, read_npz
from softres.data.files.svmlight import read_svmlight
from softres.data.files.table import read_csv, read_parquet
from softres.data.files.text_files import COMPRESSED

__all__ = ["ENDINGS", "FORMATS", "TABLES", "TEXTS", "Contents", "format_of", "read"]

#: Arrays by name: A, and b and w where the file holds them. What else an archive holds is there
#: by name, without a value; of a table ``"columns"`` and ``"left out"`` name its columns.
Contents = dict[str, Any]

#: Formats, and what an error calls them.
FORMATS = {
    "npz": "a .npz file",
    "npy": "a .npy file",
    "mtx": "a Matrix Market file",
    "parquet": "a Parquet file",
    "csv": "a CSV file",
    "svmlight": "an svmlight file",
}
#: Those that are tables with names, and those that are texts, which may be compressed.
TABLES, TEXTS = ("parquet", "csv"), ("mtx", "csv", "svmlight")
#: Formats by the end of a file's name.
ENDINGS = {f".{name}": name for name in FORMATS} | {
    ".tsv": "csv",
    ".svm": "svmlight",
    ".libsvm": "svmlight",
}

# What the readers raise for a file that is cut off, altered, pickled or of another kind. pyarrow's
# and SciPy's own errors derive from these.
_UNREADABLE = (
    OSError,
    EOFError,
    ValueError,
    TypeError,
    KeyError,
    OverflowError,
    MemoryError,
    NotImplementedError,
    zipfile.BadZipFile,
    zlib.error,
)


def format_of(name: str) -> str | None:
    """Return the format that a file's name tells; ``None`` if it tells none."""
    packed = next((end for end in COMPRESSED if name.endswith(end)), "")
    kinds = (kind for end, kind in ENDINGS.items() if name.removesuffix(packed).endswith(end))
    kind = next(kinds, None)
    return None if packed and kind not in TEXTS else kind


def read(name: str, where: str, names: Names | None = None, kind: str | None = None) -> Contents:
    """Return what a file holds.

    Parameters
    ----------
    name
        The file.
    where
        The option that names the file, ``KEY=VALUE``, with which an error starts.
    names
        What is called what in it.
    kind
        One of `FORMATS`; ``None`` for what the file's name tells.

    Returns
    -------
    Contents
        ``"A"`` (the only array of a file that holds one), ``"b"``, ``"w"``, as they are stored.

    Raises
    ------
    InputError
        If the file cannot be read, takes more than memory allows, or lacks what is asked for.
    """
    names, kind = names or Names(), kind or format_of(name)
    assert kind in FORMATS
    path = regular_file(name, where.partition("=")[0])
    try:
        if kind == "csv":
            return read_csv(path, names, where)
        if kind == "parquet":
            return read_parquet(path, names, where)
        if kind == "svmlight":
            return read_svmlight(path, where)
        if kind == "mtx":
            return {"A": read_matrix_market(path, where)}
        return read_npz(path, names, where) if kind == "npz" else {"A": read_npy(path, where)}
    except _UNREADABLE as error:
        if isinstance(error, InputError):
            raise
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise InputError(f"{where}: cannot be read as {FORMATS[kind]} ({reason})") from None
