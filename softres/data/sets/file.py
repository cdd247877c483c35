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
from softres.common.paths import regular_file
from softres.data.base import DataSet, scaled
from softres.data.files.file_formats import ENDINGS, FORMATS, TABLES, Contents, format_of, read
from softres.data.files.names import Names
from softres.data.files.table import short_list
from softres.data.files.text_files import COMPRESSED
from softres.data.instance import Instance
from softres.data.storage import Storage

__all__ = ["File", "load_file"]


#: Words for characters that a command line would take for its own.
SEPARATORS = {"comma": ",", "semicolon": ";", "tab": "\t", "blank": " "}
DECIMALS = {"point": ".", "comma": ","}
#: Formats of a second file, with b or w.
_SECOND = ("npy", "mtx")


@dataclass(frozen=True)
class File(DataSet):
    """Your own A and b (and w) in a file. Nothing is ever unpickled.

    Attributes
    ----------
    path
        The file with A, of n rows and d columns. ``.npz``: arrays ``A``, ``b`` and optionally
        ``w``, or what ``scipy.sparse.save_npz`` writes, with or without ``b`` and ``w`` beside it.
        ``.npy``: A. ``.mtx``: A in Matrix Market format. ``.parquet``, ``.csv`` or ``.tsv``: a
        table with a line of names. ``.svm``, ``.svmlight`` or ``.libsvm``: rows with their labels,
        which are b. A text may be compressed, ``.gz`` or ``.bz2``.
    b
        The target. In a table its column, in a ``.npz`` file its array; ``b`` by default.
        Otherwise, or instead, a second file, ``.npy`` or ``.mtx``.
    w
        The roots of the weights, in the same way. Left out: those of the ``.npz`` file if it has
        them, else the ones that ``weights`` asks for.
    columns
        Columns of a table that make A, in this order. Empty: all but those of b and w, and an
        index without a name, which is left out.
    A
        What a ``.npz`` file calls A, such as ``X``.
    format
        ``npz``, ``npy``, ``mtx``, ``parquet``, ``csv`` or ``svmlight``, for a file whose name does
        not tell.
    separator
        Between the columns of a CSV file: ``comma``, ``semicolon``, ``tab`` or ``blank``. Left
        out: a comma, and a tab in ``.tsv``.
    decimal
        The sign before the decimals in a CSV file, ``point`` or ``comma``.
    """

    name: ClassVar[str] = "file"
    order: ClassVar[int] = 200
    path: str = ""
    b: str = ""
    w: str = ""
    columns: tuple[str, ...] = ()
    A: str = ""
    format: str = ""
    separator: str = ""
    decimal: str = "point"

    def __post_init__(self) -> None:
        # A configuration brings a list, which would have no hash.
        object.__setattr__(self, "columns", tuple(self.columns))
        if not self.path:
            raise InputError("data.path: data=file needs the path of a file with A and b")
        if self.format and self.format not in FORMATS:
            raise InputError(f"data.format={self.format}: allowed are {', '.join(FORMATS)}")
        if not self.kind:
            raise InputError(
                f"data.path={self.path}: allowed are {', '.join(ENDINGS)}, texts with "
                f"{' or '.join(COMPRESSED)} too; or data.format={'|'.join(FORMATS)}"
            )
        if self.columns and not self.is_table:
            raise InputError("data.columns: only a table, .parquet or .csv, has named columns")
        if self.A and self.kind != "npz":
            raise InputError(f"data.A={self.A}: only a .npz file has arrays with names")
        for key, value, allowed in (
            ("separator", self.separator or "comma", SEPARATORS),
            ("decimal", self.decimal, DECIMALS),
        ):
            if value not in allowed:
                raise InputError(f"data.{key}={value}: allowed are {', '.join(allowed)}")
        if self.names.separator == self.names.decimal:
            raise InputError(
                "data.decimal=comma: columns that are separated by commas have no decimal commas; "
                "data.separator=semicolon"
            )

    @property
    def kind(self) -> str:
        """The format of the file; empty where nothing tells."""
        return self.format or format_of(self.path) or ""

    @property
    def is_table(self) -> bool:
        """Whether b and w name columns, not files."""
        return self.kind in TABLES

    @property
    def names(self) -> Names:
        """What is called what in the file."""
        second = self.second_files()
        tabs = "tab" if ".tsv" in self.path else "comma"
        return Names(
            self.A,
            "" if "b" in second else self.b,
            "" if "w" in second else self.w,
            self.columns,
            SEPARATORS[self.separator or tabs],
            DECIMALS[self.decimal],
        )

    def second_files(self) -> dict[str, str]:
        """Return the files of b and w that are not in the one of A.

        Beside a ``.npz`` file, what has the ending of one is a file, and else an array of it.
        """
        if self.is_table:
            return {}
        given = {key: name for key, name in (("b", self.b), ("w", self.w)) if name}
        if self.kind != "npz":
            return given
        return {key: name for key, name in given.items() if format_of(name) or "/" in name}

    def fingerprint(self) -> str:
        """Return a hash of the files' content, so that a changed file is another instance."""
        hashes = []
        for key, name in ({"path": self.path} | self.second_files()).items():
            path = regular_file(name, f"data.{key}")
            try:
                hashes.append(_sha256(path, path.stat().st_mtime_ns))
            except OSError as error:
                raise InputError(f"data.{key}={name}: {error.strerror or error}") from None
        return "-".join(hashes)

    def remarks(self) -> tuple[str, ...]:
        """Return which columns of a table were taken, and which were not."""
        facts = _read_once(self, self.fingerprint()).facts
        words = {"A_is": "A is", "not_in_A": "not in A:"}
        return tuple(f"{words[key]} {facts[key]}" for key in words if key in facts)

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
    held = _with_second_files(options, read(options.path, where, options.names, options.kind))
    for key, kinds in (("b", "array b"), ("A", "array A and no parts of a sparse matrix")):
        if held.get(key) is None:
            names = ", ".join(held) or "nothing"
            other = "NAME" if options.kind == "npz" else "FILE.npy"
            raise InputError(
                f"{where}: holds no {kinds}; it holds {names}; data.{key}={other} names another"
            )
    columns: list[str] | None = held.get("columns")
    facts: dict[str, str | float | int] = {"path": options.path}
    if columns is not None:
        facts["A_is"] = f"{len(columns)} columns, {short_list(columns)}"
    if "left out" in held:
        facts["not_in_A"] = f"{short_list(held['left out'])}: an index, or without values"
    try:
        A = _matrix(held["A"], where)
        b, w = (_vector(held.get(name), name, where) for name in ("b", "w"))
        assert b is not None
        if 1 + 1e-9 < b.sum() <= 1 + SHARES_ROUNDING:
            b = b / b.sum()
        return Instance("file", A, b, w=w, columns=columns, facts=facts)
    except InputError as error:
        raise InputError(str(error).replace("data=file", where)) from None
    except MemoryError as error:
        raise InputError(f"{where}: there is not enough memory for it ({error})") from None


def _with_second_files(options: File, held: Contents) -> Contents:
    for key, path in options.second_files().items():
        where = f"data.{key}={path}"
        if format_of(path) not in _SECOND:
            raise InputError(f"{where}: allowed are .npy, .mtx, .mtx.gz")
        values = read(path, where)["A"]
        held = held | {key: values.toarray() if sparse.issparse(values) else values}
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
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]  # as Matrix Market has a vector, and much else
    if values.ndim != 1 or values.dtype.kind not in "fiub":
        raise InputError(
            f"{where}: {name} must be a real vector, not {values.dtype} of shape {values.shape}"
        )
    return values.astype(np.float64)
