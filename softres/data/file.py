"""A user's own matrix and target, from a NumPy .npz file."""

from __future__ import annotations

import hashlib
import zipfile
import zlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse

from softres.data.instance import Instance
from softres.errors import InputError

__all__ = ["FileOptions", "load_file"]

#: Names under which SciPy's ``save_npz`` keeps the parts of a CSR matrix.
CSR_PARTS = ("data", "indices", "indptr", "shape")


@dataclass(frozen=True)
class FileOptions:
    """Where the data are.

    Attributes
    ----------
    path
        A ``.npz`` file with ``A`` (n x d) or the CSR parts ``data``, ``indices``, ``indptr`` and
        ``shape`` that ``scipy.sparse.save_npz`` writes, ``b`` (n,), and optionally ``w`` (n,), the
        roots of the weights. Nothing in it is ever unpickled.
    """

    path: str = ""

    def __post_init__(self) -> None:
        if not self.path:
            raise InputError("data.path: data=file needs the path of a .npz file with A and b")

    def fingerprint(self) -> str:
        """Return a hash of the file's content, so that a changed file is another instance."""
        path = Path(self.path).expanduser()
        try:
            return _sha256(path, path.stat().st_mtime_ns)
        except OSError as error:
            raise InputError(f"data.path={self.path}: {error.strerror or error}") from None


@lru_cache(maxsize=4)
def _sha256(path: Path, modified: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def load_file(options: FileOptions) -> Instance:
    """Read a file.

    Raises
    ------
    InputError
        If the file cannot be read, lacks an array, or its content is not an instance.
    """
    where = f"data.path={options.path}"
    try:
        # The stream is ours to close: NumPy leaves it open where the file is no archive.
        with Path(options.path).expanduser().open("rb") as stream:
            archive = np.load(stream, allow_pickle=False)
            if not isinstance(archive, np.lib.npyio.NpzFile):
                raise InputError(f"{where}: not a .npz file with A and b, but one array")
            arrays = {name: archive[name] for name in archive.files}
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile, zlib.error) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{where}: cannot be read as a .npz file ({error})") from None
    if "b" not in arrays:
        raise InputError(f"{where}: holds no array b; it holds {', '.join(arrays) or 'nothing'}")
    A = _matrix(arrays, where)
    b, w = (_vector(arrays.get(name), name, where) for name in ("b", "w"))
    assert b is not None
    if 1 + 1e-9 < b.sum() < 1 + 1e-4:
        b = b / b.sum()  # shares that were rounded to single precision
    try:
        return Instance("file", A, b, w=w, facts={"path": options.path})
    except InputError as error:
        raise InputError(str(error).replace("data=file", where)) from None


def _matrix(arrays: dict[str, Any], where: str) -> Any:
    if "A" in arrays:
        A = arrays["A"]
        if A.ndim != 2 or A.dtype.kind not in "fiub":
            raise InputError(
                f"{where}: A must be a real matrix, not {A.ndim}-dimensional {A.dtype}"
            )
        return np.ascontiguousarray(A, dtype=np.float64)
    if not all(part in arrays for part in CSR_PARTS):
        raise InputError(f"{where}: holds neither A nor the parts of a sparse CSR matrix")
    try:
        data, indices, indptr, shape = (arrays[part] for part in CSR_PARTS)
        A = sparse.csr_array((data.astype(np.float64), indices, indptr), shape=tuple(shape))
        A.check_format(full_check=True)
    except (ValueError, TypeError) as error:
        raise InputError(f"{where}: its sparse matrix is not valid ({error})") from None
    return A


def _vector(values: Any, name: str, where: str) -> Any:
    if values is None:
        return None
    if values.ndim != 1 or values.dtype.kind not in "fiub":
        raise InputError(f"{where}: {name} must be a real vector")
    return values.astype(np.float64)
