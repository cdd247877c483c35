"""Create an SQLite store so that many processes may ask for it at once."""

from __future__ import annotations

import glob
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock

from softres.common.errors import InputError

__all__ = ["create_database"]

#: The first bytes of every SQLite file.
_HEADER = b"SQLite format 3\x00"


def create_database(path: Path) -> None:
    """Create the SQLite store at ``path`` unless it is there.

    MLflow builds its tables in some fifty migrations. Processes that do so in one file at once
    leave it unusable, and so does one that is killed half-way. The tables are therefore built
    beside the file, by one process at a time, and appear under their name when they are complete:
    a store that exists needs no lock.

    Parameters
    ----------
    path
        Absolute path of the file; missing folders are created.

    Raises
    ------
    InputError
        If the folder cannot be written, or what is there is no database that can be.
    """
    if _is_there(path):
        _check(path)
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{path}.lock"):
            if not _is_there(path):
                _build(path)
    except OSError as error:
        raise InputError(f"the tracking store {path} cannot be created: {error}") from error


def _is_there(path: Path) -> bool:
    return path.exists() and (not path.is_file() or path.stat().st_size > 0)


def _check(path: Path) -> None:
    """Refuse what no other try will open: MLflow tries for minutes."""
    what = ""
    if not path.is_file():
        what = "a folder" if path.is_dir() else "no file"
    elif not os.access(path, os.R_OK):
        raise InputError(f"the tracking store {path} cannot be read")
    elif not (os.access(path, os.W_OK) and os.access(path.parent, os.W_OK | os.X_OK)):
        raise InputError(f"the tracking store {path} cannot be written: it is read-only")
    else:
        with path.open("rb") as file:
            what = "" if file.read(len(_HEADER)) == _HEADER else "no SQLite database"
    if what:
        raise InputError(f"the tracking store {path} is {what}")


def _build(path: Path) -> None:
    from mlflow.tracking import MlflowClient

    # Under the lock: what is there was left by processes that were killed.
    for left in path.parent.glob(f".{glob.escape(path.name)}.*.new*"):
        left.unlink(missing_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        with _quiet("mlflow", "alembic"):
            MlflowClient(tracking_uri=f"sqlite:///{draft}").get_experiment("0")
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


@contextmanager
def _quiet(*names: str) -> Iterator[None]:
    """Hide what loggers say below warnings, some fifty lines for a new store."""
    loggers = [logging.getLogger(name) for name in names]
    levels = [logger.level for logger in loggers]
    try:
        for logger in loggers:
            logger.setLevel(logging.WARNING)
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
