"""Where the files of a run are: beside its store, on its server, or where nothing is fetched from.

A store is written by others, and names a place for each run.
"""

from __future__ import annotations

from collections.abc import Sequence
from errno import ENOENT, EPERM
from pathlib import Path
from urllib.parse import unquote, urlparse

__all__ = ["fetchable", "is_local", "local_file", "local_folder"]

#: Schemes of files on this machine.
_LOCAL = ("", "file")
#: Stores of files whose host the user's own environment names.
_CLOUD = ("s3", "gs", "wasb", "wasbs", "abfs", "abfss")


def is_local(place: str) -> bool:
    """Whether a place is on this machine."""
    return urlparse(place).scheme in _LOCAL


def local_folder(place: str, run: str, stores: Sequence[Path]) -> Path | None:
    """Return the folder of a run's files on this machine.

    A store keeps absolute paths. Where such a path is gone because the store was moved, the folder
    is the same one below the store: the longest end of the path that is there.

    Parameters
    ----------
    place
        As the store names it.
    run
        The run's id.
    stores
        Folders that may hold the files of a store that was moved.

    Returns
    -------
    The folder; None where it is missing, or on a server.
    """
    if not is_local(place):
        return None
    path = Path(unquote(urlparse(place).path))
    if path.is_dir():
        return path
    parts = path.parts[1:] if path.is_absolute() else path.parts
    ends = [Path(*parts[first:]) for first in range(len(parts)) if run in parts[first:]]
    found = (store / end for end in ends for store in stores)
    return next((folder for folder in found if folder.is_dir()), None)


def local_file(
    place: str, run: str, name: str, folder: Path, store: Path | str | None
) -> Path | None:
    """Return the path of a file of a run on this machine; None where its server has to be asked.

    Parameters
    ----------
    place
        As the store names it.
    run, name
        The run's id, and the file's name.
    folder
        Another folder that may hold the files of a store that was moved.
    store
        The store's file, or the address of its server.

    Raises
    ------
    FileNotFoundError
        If it is not there.
    PermissionError
        If the store names another host for it: nothing is fetched from there.
    """
    server = store if isinstance(store, str) else None
    if is_local(place):
        beside = [folder.absolute()]
        beside += [store.parent, store.parent / "artifacts"] if isinstance(store, Path) else []
        found = local_folder(place, run, beside)
        if found is not None and (found / name).exists():
            return found / name
        if server is None:
            raise FileNotFoundError(ENOENT, "no such file", name)
    elif not fetchable(place, server):
        raise PermissionError(EPERM, "nothing is fetched from where a store says", place)
    return None


def fetchable(place: str, server: str | None) -> bool:
    """Whether files may be fetched from a place: it is the server that the user named.

    Or a bucket: its host is not in the address, but in the user's own environment.

    Parameters
    ----------
    place
        As the store names it.
    server
        Address of the store; ``None`` where it is a file.
    """
    found = urlparse(place)
    if server is None:
        return False
    if found.scheme in _CLOUD:
        return True
    same = found.netloc == urlparse(server).netloc
    if found.scheme == "mlflow-artifacts":
        return same or not found.netloc
    return found.scheme in ("http", "https") and same
