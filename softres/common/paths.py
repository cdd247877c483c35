"""Paths that a user gives: ``~`` is the home folder in each of them, and only files are read."""

from __future__ import annotations

import stat
from pathlib import Path

from softres.common.errors import InputError

__all__ = ["expanded", "regular_file"]


def expanded(name: str | Path, key: str = "") -> Path:
    """Return a path, ``~`` and ``~user`` at its beginning replaced by the home folder.

    Parameters
    ----------
    name
        As it was given.
    key
        The option that gives it, for the message.

    Raises
    ------
    InputError
        If nobody knows the home folder: there is no HOME, and the user has no passwd entry.
    """
    try:
        return Path(name).expanduser()
    except RuntimeError:
        where = f"{key}={name}" if key else str(name)
        raise InputError(f"{where}: no home folder is known, set HOME or write it out") from None


def regular_file(name: str | Path, key: str = "") -> Path:
    """Return the path of a file that can be read to its end, ``~`` replaced.

    A pipe would wait for a writer, ``/dev/zero`` has no end.

    Raises
    ------
    InputError
        If there is none, or it is no regular file.
    """
    path, where = expanded(name, key), f"{key}={name}" if key else str(name)
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError) as error:  # a ValueError: a byte 0 in the name
        raise InputError(f"{where}: {getattr(error, 'strerror', None) or error}") from None
    if not stat.S_ISREG(mode):
        kind = "a folder" if stat.S_ISDIR(mode) else "a pipe, a device or a socket"
        raise InputError(f"{where}: must be a file, and is {kind}")
    return path
