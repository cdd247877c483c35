"""The cache folder: arrays that are costly to derive, written atomically and checked when read."""

from __future__ import annotations

import glob
import hashlib
import os
import pickle
import secrets
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from softres.common.errors import InputError
from softres.common.paths import expanded

__all__ = [
    "Arrays",
    "DamagedError",
    "array_path",
    "cache_folder",
    "cached_arrays",
    "load_arrays",
    "locked",
    "save_arrays",
    "set_aside",
]

Arrays = dict[str, npt.NDArray[Any]]


class DamagedError(InputError):
    """A cached file was damaged; it has been set aside, so that it can be made anew."""


# What numpy and zipfile raise for a file that is cut off, altered, pickled or of another kind.
_DAMAGE = (
    ValueError,
    EOFError,
    KeyError,
    RuntimeError,
    OSError,
    pickle.UnpicklingError,
    zipfile.BadZipFile,
    zlib.error,
)


def cache_folder(cache: Path | None = None) -> Path:
    """Folder that downloads and derived arrays are kept in; it need not exist yet.

    Parameters
    ----------
    cache
        The folder itself. By default the environment variable ``SOFTRES_CACHE``, and without
        it the user's cache folder as the platform defines it.
    """
    if cache is not None:
        return cache
    if chosen := os.environ.get("SOFTRES_CACHE"):
        return expanded(chosen, "SOFTRES_CACHE").absolute()
    from platformdirs import user_cache_dir

    return Path(user_cache_dir("softres", appauthor=False))


def array_path(name: str, *key: str | float | int, cache: Path | None = None) -> Path:
    """File for the arrays called `name` that are derived from `key`.

    Parameters
    ----------
    name
        Readable start of the file name, such as ``"unembedding_minilm"``.
    key
        All that the arrays depend on: hashes of the sources, options, the version of the recipe.
        Another key is another file, so that no stale file is ever read.
    cache
        See `cache_folder`.
    """
    digest = hashlib.sha256(repr(key).encode()).hexdigest()[:16]
    return cache_folder(cache) / "arrays" / f"{name}-{digest}.npz"


def load_arrays(path: Path) -> Arrays | None:
    """Read arrays written by `save_arrays`; nothing is ever unpickled.

    Returns
    -------
    dict or None
        The arrays by name, or None where there is no such file.

    Raises
    ------
    DamagedError
        If the file is damaged: cut off, altered (the zip's checksums tell), not a zip, an object
        array, not written by `save_arrays`. It is set aside.
    InputError
        If the file cannot be opened.
    """
    try:
        stream = path.open("rb")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error
    with stream:
        try:
            with zipfile.ZipFile(stream) as archive:
                return _read_arrays(archive)
        except _DAMAGE as error:
            reason = error
    aside = set_aside(path)
    raise DamagedError(
        f"{path} is damaged ({reason}); it was set aside as {aside.name}: "
        "run again to compute it anew"
    ) from reason


def _read_arrays(archive: zipfile.ZipFile) -> Arrays:
    # The checksums cover each member but not the directory: one flipped bit there can lose a
    # member without a word. The comment lists them a second time.
    if archive.comment != _listing(archive):
        raise ValueError("its members are not those that were saved")
    return {
        # Read in full, which compares the checksum, before a shape from the header is trusted.
        member.removesuffix(".npy"): np.lib.format.read_array(
            BytesIO(archive.read(member)), allow_pickle=False
        )
        for member in archive.namelist()
    }


def _listing(archive: zipfile.ZipFile) -> bytes:
    return "\n".join(["softres arrays", *archive.namelist()]).encode()


def save_arrays(path: Path, /, **arrays: npt.ArrayLike) -> None:
    """Write arrays to a .npz file in one step: a reader sees all of them or none.

    Parameters
    ----------
    path
        The file; folders above it are made. A file that is there is replaced.
    arrays
        The arrays by name, of any dtype but object.

    Raises
    ------
    ValueError
        If an array holds Python objects, which only pickle could store.
    InputError
        If the file cannot be written.
    """
    # In the same folder, because a rename is atomic only within one file system.
    temporary = path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Not np.savez: it reserves the names "file" and "allow_pickle".
        with zipfile.ZipFile(temporary, "w") as archive:
            for name, values in arrays.items():
                with archive.open(f"{name}.npy", "w", force_zip64=True) as stream:
                    np.lib.format.write_array(stream, np.asanyarray(values), allow_pickle=False)
            archive.comment = _listing(archive)
        temporary.replace(path)
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror}; {_ADVICE}") from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def cached_arrays(path: Path, compute: Callable[[], Mapping[str, npt.ArrayLike]]) -> Arrays:
    """Arrays of `path`, computed and saved where the file does not exist yet.

    Parallel jobs that miss at the same time wait for the first one instead of computing too.

    Raises
    ------
    InputError
        As in `load_arrays` and `save_arrays`.
    """
    found = load_arrays(path)
    if found is not None:
        return found
    with locked(path):
        found = load_arrays(path)
        if found is None:
            for left in path.parent.glob(f".{glob.escape(path.name)}.*"):
                left.unlink(missing_ok=True)  # by processes that were killed: the lock is ours
            found = {name: np.asanyarray(values) for name, values in compute().items()}
            save_arrays(path, **found)
    return found


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock of a cached file or folder against other processes and threads.

    Raises
    ------
    InputError
        If the lock file beside `path` cannot be made.
    """
    from filelock import FileLock

    lock = FileLock(path.with_name(f"{path.name}.lock"))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except OSError as error:
        raise InputError(f"cannot write in {path.parent}: {error.strerror}; {_ADVICE}") from error
    try:
        yield
    finally:
        lock.release()


def set_aside(path: Path) -> Path:
    """Rename a damaged file or folder to ``<name>.damaged-<timestamp>`` and return that path.

    Raises
    ------
    InputError
        If it cannot be renamed.
    """
    aside = path.with_name(f"{path.name}.damaged-{datetime.now():%Y%m%dT%H%M%S%f}")
    try:
        path.rename(aside)
    except FileNotFoundError:  # a parallel job met the same damage and was faster
        pass
    except OSError as error:
        raise InputError(f"{path} is damaged: remove it by hand ({error.strerror})") from error
    return aside


_ADVICE = "set SOFTRES_CACHE to a folder that can be written and has space"
