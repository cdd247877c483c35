"""A user's own matrix and target: options, and what makes file contents an instance."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from scipy import sparse

from softres.common.checks import SHARES_ROUNDING
from softres.common.errors import InputError
from softres.data.base import DataSet, scaled
from softres.data.files.file_formats import FORMATS, Contents, read
from softres.data.instance import Instance
from softres.data.storage import Storage

__all__ = ["File", "load_file"]


@dataclass(frozen=True)
class File(DataSet):
    """Your own A and b (and w) in a file. Nothing is ever unpickled.

    Attributes
    ----------
    path
        The file with A, of n rows and d columns. ``.npz``: arrays ``A``, ``b`` and optionally
        ``w``, or what ``scipy.sparse.save_npz`` writes, with or without ``b`` and ``w`` beside it.
        ``.npy``: A. ``.mtx`` or ``.mtx.gz``: A in Matrix Market format. ``.parquet``, ``.csv`` or
        ``.csv.gz``: a table with a line of names.
    b
        The target. In a table the name of its column, ``b`` by default. Otherwise a second file,
        ``.npy`` or ``.mtx``, where the first one does not hold it.
    w
        The roots of the weights, in the same way. Left out: those of the ``.npz`` file if it has
        them, else the ones that ``weights`` asks for.
    columns
        Columns of a table that make A, in this order. Empty: all but those of b and w.
    """

    name: ClassVar[str] = "file"
    order: ClassVar[int] = 200
    path: str = ""
    b: str = ""
    w: str = ""
    columns: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        # A configuration brings a list, which would have no hash.
        object.__setattr__(self, "columns", tuple(self.columns))
        if not self.path:
            raise InputError("data.path: data=file needs the path of a file with A and b")
        if not self.path.endswith(tuple(FORMATS)):
            raise InputError(f"data.path={self.path}: allowed are {', '.join(FORMATS)}")
        if self.columns and not self.is_table:
            raise InputError("data.columns: only a table, .parquet or .csv, has named columns")

    @property
    def is_table(self) -> bool:
        """Whether b and w name columns, not files."""
        return self.path.endswith((".parquet", ".csv", ".csv.gz"))

    def fingerprint(self) -> str:
        """Return a hash of the files' content, so that a changed file is another instance."""
        files = {"path": self.path}
        if not self.is_table:
            files |= {key: name for key, name in (("b", self.b), ("w", self.w)) if name}
        hashes = []
        for key, name in files.items():
            path = Path(name).expanduser()
            try:
                hashes.append(_sha256(path, path.stat().st_mtime_ns))
            except OSError as error:
                raise InputError(f"data.{key}={name}: {error.strerror or error}") from None
        return "-".join(hashes)

    def size(self, n: int | None, d: int | None, R: float | None) -> tuple[int, int]:
        """Return the size of the file's A, and refuse another."""
        there: tuple[int, int] = _read_once(self, self.fingerprint()).shape
        self._check_size(n, d, there, self.path)
        return there

    def load(self, n: int, d: int, R: float | None, seed: int) -> Instance:
        """Read the file; with R given, A is scaled to |A|_2 = R."""
        return scaled(_read_once(self, self.fingerprint()), R)

    def storage(self, n: int, d: int) -> Storage:
        """Return how the file's A is stored."""
        A = _read_once(self, self.fingerprint()).A
        return Storage("sparse", int(A.nnz)) if sparse.issparse(A) else super().storage(n, d)


@lru_cache(maxsize=1)
def _read_once(options: File, fingerprint: str) -> Instance:
    """Read a file once for its size and its content."""
    return load_file(options)


@lru_cache(maxsize=4)
def _sha256(path: Path, modified: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def load_file(options: File) -> Instance:
    """Read the files.

    Raises
    ------
    InputError
        If a file cannot be read, lacks an array, or its content is not an instance.
    """
    where = f"data.path={options.path}"
    held = _with_second_files(options, read(options.path, where, _table_request(options)), where)
    if "b" not in held:
        names = ", ".join(held) or "nothing"
        raise InputError(
            f"{where}: holds no array b; it holds {names}; data.b=FILE.npy names a file with b"
        )
    if "A" not in held:
        raise InputError(f"{where}: holds neither A nor the parts of a sparse matrix")
    A = _matrix(held["A"], where)
    b, w = (_vector(held.get(name), name, where) for name in ("b", "w"))
    assert b is not None
    if 1 + 1e-9 < b.sum() <= 1 + SHARES_ROUNDING:
        b = b / b.sum()
    try:
        return Instance("file", A, b, w=w, facts={"path": options.path})
    except InputError as error:
        raise InputError(str(error).replace("data=file", where)) from None


def _table_request(options: File) -> tuple[str, str, tuple[str, ...]]:
    return options.b or "b", options.w, options.columns


def _with_second_files(options: File, held: Contents, where: str) -> Contents:
    if options.is_table:
        return held
    for name, path in (("b", options.b), ("w", options.w)):
        if path:
            where = f"data.{name}={path}"
            if not path.endswith((".npy", ".mtx", ".mtx.gz")):
                raise InputError(f"{where}: allowed are .npy, .mtx, .mtx.gz")
            values = read(path, where)["A"]
            dense = values.toarray() if sparse.issparse(values) else values
            # A vector in Matrix Market format is a matrix of one column.
            held = held | {name: dense[:, 0] if dense.shape[1:] == (1,) else dense}
    return held


def _matrix(A: Any, where: str) -> Any:
    if A.ndim != 2 or A.dtype.kind not in "fiub":
        raise InputError(f"{where}: A must be a real matrix, not {A.ndim}-dimensional {A.dtype}")
    if not sparse.issparse(A):
        return np.ascontiguousarray(A, dtype=np.float64)
    try:
        # Before any conversion: compiled code trusts the indices that it is given.
        if hasattr(A, "check_format"):
            A.check_format(full_check=True)
        A = sparse.csr_array(A, dtype=np.float64)
        A.sum_duplicates()
    except (ValueError, TypeError, IndexError) as error:
        raise InputError(f"{where}: its sparse matrix is not valid ({error})") from None
    return A


def _vector(values: Any, name: str, where: str) -> Any:
    if values is None:
        return None
    if values.ndim != 1 or values.dtype.kind not in "fiub":
        raise InputError(f"{where}: {name} must be a real vector")
    return values.astype(np.float64)
