"""NumPy's files, one array or an archive of them; nothing is ever unpickled."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterable
from math import prod
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy
from scipy import sparse

from softres.common.errors import InputError
from softres.data.files.budget import claim
from softres.data.files.names import Names

__all__ = ["read_npy", "read_npz"]

#: Names under which SciPy's ``save_npz`` keeps the parts of a sparse matrix, of any format.
_PARTS = ("data", "indices", "indptr", "shape", "format", "row", "col", "offsets", "_is_array")
#: How a .npy file begins, and a .npz file, with arrays or without.
_ARRAY, _ARCHIVE = b"\x93NUMPY", (b"PK\x03\x04", b"PK\x05\x06")


def read_npy(path: Path, where: str) -> Any:
    """Return the array of a file.

    Raises
    ------
    InputError
        If it is an archive, or takes more than memory allows.
    ValueError, OSError, EOFError
        If it is no array of numbers, or has been cut off.
    """
    with path.open("rb") as stream:
        start = stream.read(6)
        if start.startswith(_ARCHIVE):
            raise InputError(f"{where}: not one array, but a .npz file; rename it")
        if start and start != _ARRAY:
            # NumPy would take it for a pickle, and say how to load one: that is never done here.
            raise ValueError("it is none, whatever its name says")
        stream.seek(0)
        size = _announced(stream, where)
        if size > path.stat().st_size:
            raise ValueError(f"it announces {size} bytes and has {path.stat().st_size}")
        stream.seek(0)
        return np.load(stream, allow_pickle=False)


def read_npz(path: Path, names: Names, where: str) -> dict[str, Any]:
    """Return A, b and w of an archive, as its members or the options name them.

    Raises
    ------
    InputError
        If it is no archive, has no array of a name that is asked for, holds a sparse matrix that
        is not valid, or takes more than memory allows.
    ValueError, OSError, zipfile.BadZipFile
        If it cannot be read.
    """
    with path.open("rb") as stream:
        start = stream.read(6)
        if start == _ARRAY:
            raise InputError(f"{where}: not a .npz file with A and b, but one array")
        if start and not start.startswith(_ARCHIVE):
            raise ValueError("it is none, whatever its name says")
    with zipfile.ZipFile(path) as archive:
        members = {name.removesuffix(".npy"): name for name in archive.namelist()}

        def check(name: str) -> None:
            if name not in members:
                raise InputError(f"{where}: holds no array {name}; it holds {_listed(members)}")
            with archive.open(members[name]) as file:
                _announced(file, f"{where}: {name}")

        def member(name: str) -> Any:
            check(name)
            with archive.open(members[name]) as file:
                return npy.read_array(file, allow_pickle=False)

        chosen = {"A": names.A, "b": names.b, "w": names.w}
        held = {key: member(name) for key, name in chosen.items() if name}
        for key in ("A", "b", "w"):
            if key not in held and key in members:
                held[key] = member(key)
        if "A" not in held and ("format" in members or "indptr" in members):
            for part in (part for part in _PARTS if part in members):
                check(part)
            held["A"] = _sparse(path, member, where)
    return held | {name: None for name in members if name not in (*held, *_PARTS)}


def _listed(members: Iterable[str]) -> str:
    return ", ".join(list(members)[:8]) or "nothing"


def _announced(stream: IO[bytes], where: str) -> int:
    """Return the bytes of the array that a header announces; refuse too many, and objects."""
    version = npy.read_magic(stream)
    read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    shape, _, dtype = read(stream)
    size = prod(shape) * dtype.itemsize
    claim(size, where, f"an array of shape {shape}")
    return int(size)


def _sparse(path: Path, member: Callable[[str], Any], where: str) -> Any:
    try:
        n, d = member("shape").tolist()
        claim(8 * (n + d), where, f"a sparse matrix of {n} x {d}")
        with zipfile.ZipFile(path) as archive:
            if "format.npy" in archive.namelist():
                return sparse.load_npz(path)  # which unpickles nothing either
        parts = (member("data"), member("indices"), member("indptr"))
        return sparse.csr_array(parts, shape=(n, d))
    except (ValueError, TypeError, KeyError, IndexError) as error:
        raise InputError(f"{where}: its sparse matrix is not valid ({error})") from None
