"""Reading the file formats that a user's data may come in; nothing is ever unpickled."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse

from softres.common.errors import InputError
from softres.data.files.matrix_market import read_matrix_market

__all__ = ["FORMATS", "Contents", "read"]

#: Arrays by name: A, and b and w where the file holds them.
Contents = dict[str, Any]

#: Names of the formats by the end of a file's name.
FORMATS = {
    ".npz": "a .npz file",
    ".npy": "a .npy file",
    ".mtx": "a Matrix Market file",
    ".mtx.gz": "a Matrix Market file",
    ".parquet": "a Parquet file",
    ".csv": "a CSV file",
    ".csv.gz": "a CSV file",
}

#: Names under which SciPy's ``save_npz`` keeps the parts of a CSR matrix.
CSR_PARTS = ("data", "indices", "indptr", "shape")

#: How a .npy file begins, a .npz file, and one without arrays.
_NUMPY = (b"\x93NUMPY", b"PK\x03\x04", b"PK\x05\x06")

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


def read(name: str, where: str, table: tuple[str, str, tuple[str, ...]] | None = None) -> Contents:
    """Return what a file holds.

    Parameters
    ----------
    name
        The file; its name ends as one of `FORMATS`.
    where
        The option that names the file, with which an error starts.
    table
        For a table: the column of b, the column of w or an empty string, and the columns of A or
        none for all others.

    Returns
    -------
    Contents
        ``"A"`` (the only array of a file that holds one), ``"b"``, ``"w"``, as they are stored.

    Raises
    ------
    InputError
        If the file cannot be read, or a table lacks a column.
    """
    path = Path(name).expanduser()
    kind = next(kind for ending, kind in FORMATS.items() if name.endswith(ending))
    try:
        if kind in ("a Parquet file", "a CSV file"):
            assert table is not None
            return _chosen(_table(path), *table, where)
        if kind == "a Matrix Market file":
            return {"A": read_matrix_market(path)}
        return _numpy(path, where, archive=name.endswith(".npz"))
    except _UNREADABLE as error:
        if isinstance(error, InputError):
            raise
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise InputError(f"{where}: cannot be read as {kind} ({reason})") from None


def _numpy(path: Path, where: str, archive: bool) -> Contents:
    # The stream is ours to close: NumPy leaves it open where the file is no archive.
    with path.open("rb") as stream:
        start = stream.read(6)
        if start and not start.startswith(_NUMPY):
            # NumPy would take it for a pickle, and say how to load one: that is never done here.
            raise ValueError("it is none, whatever its name says")
        stream.seek(0)
        loaded = np.load(stream, allow_pickle=False)
        is_archive = isinstance(loaded, np.lib.npyio.NpzFile)
        if archive and not is_archive:
            raise InputError(f"{where}: not a .npz file with A and b, but one array")
        if not archive and is_archive:
            raise InputError(f"{where}: not one array, but a .npz file; rename it")
        if not archive:
            return {"A": loaded}
        arrays = {member: loaded[member] for member in loaded.files}
        if "A" in arrays or not ("format" in arrays or "indptr" in arrays):
            return arrays
        stream.seek(0)
        held: Contents = {"A": _sparse(arrays, stream, where)}
    return held | {key: arrays[key] for key in ("b", "w") if key in arrays}


def _sparse(arrays: Contents, stream: Any, where: str) -> Any:
    try:
        if "format" in arrays:
            return sparse.load_npz(stream)  # which unpickles nothing either
        data, indices, indptr, shape = (arrays[part] for part in CSR_PARTS)
        return sparse.csr_array((data, indices, indptr), shape=tuple(shape))
    except (ValueError, TypeError, KeyError, IndexError) as error:
        raise InputError(f"{where}: its sparse matrix is not valid ({error})") from None


def _table(path: Path) -> Any:
    if path.name.endswith(".parquet"):
        import pyarrow.parquet as pq

        with path.open("rb") as stream:
            return pq.read_table(stream)
    import pyarrow as pa
    from pyarrow import csv

    compression = "gzip" if path.name.endswith(".gz") else None
    with pa.input_stream(str(path), compression=compression) as stream:
        return csv.read_csv(stream)


def _chosen(table: Any, target: str, weight: str, columns: tuple[str, ...], where: str) -> Contents:
    """Pick the columns of A, b and w out of a table."""
    if table.num_rows == 0:
        raise InputError(f"{where}: has no rows")
    # pandas keeps an index that has no name in a column of this name.
    known = [name for name in table.column_names if not name.startswith("__index_level_")]
    wanted = [target, *([weight] if weight else []), *columns]
    for name in wanted:
        if known.count(name) != 1:
            what = "no column" if name not in known else "more than one column"
            hint = "; data.b=COLUMN names another" if name == target else ""
            raise InputError(f"{where}: has {what} {name}; it has {_short(known)}{hint}")
    features = columns or tuple(name for name in known if name not in wanted)
    if not features:
        raise InputError(f"{where}: has no columns for A beside {_short(wanted)}")
    A = np.empty((table.num_rows, len(features)))
    for k, name in enumerate(features):
        A[:, k] = _column(table, name, where)
    held = {"A": A, "b": _column(table, target, where)}
    return held | ({"w": _column(table, weight, where)} if weight else {})


def _column(table: Any, name: str, where: str) -> Any:
    import pyarrow as pa

    if table.column_names.count(name) != 1:
        raise InputError(f"{where}: has more than one column {name}")
    column = table.column(name)
    kind = column.type
    if pa.types.is_boolean(kind) or pa.types.is_decimal(kind):
        column = column.cast(pa.float64())
    elif not (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
        raise InputError(
            f"{where}: column {name} holds {kind}, not numbers; data.columns=[...] names those of A"
        )
    # A missing value becomes NaN, which the instance refuses by name.
    return column.to_numpy().astype(np.float64)


def _short(names: list[str]) -> str:
    return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
