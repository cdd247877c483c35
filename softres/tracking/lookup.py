"""A run that somebody names, whatever its experiment, and the files that were kept with it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from softres.common.errors import InputError
from softres.tracking.durable.outage import refusal
from softres.tracking.options import TrackingOptions
from softres.tracking.protocol import StoredRun

__all__ = ["find_run"]


def find_run(options: TrackingOptions, run_id: str) -> tuple[StoredRun, Callable[[str], Path]]:
    """Return a finished run of any experiment, and what gives the path of one of its artifacts.

    Parameters
    ----------
    options
        Where the store is.
    run_id
        The run's id, or its first four characters or more.

    Raises
    ------
    InputError
        If the store cannot be used, there is no such run or more than one, it did not finish, or
        (of what is returned) it has no such artifact.
    """
    if not re.fullmatch(r"[0-9a-f]{4,32}", run_id):
        raise InputError(f"{run_id}: a run's id has 32 digits 0-9 a-f; its first 4 may do")
    if options.database is not None and not options.database.exists():
        raise InputError(f"{options.database}: no such store")
    from softres.tracking.backend import MlflowBackend

    backend = MlflowBackend(options, create=False)
    with _one_line(options.absolute_uri, "the store cannot be used"):
        found = backend.with_id(run_id)
    if len(found) != 1:
        many = "no" if not found else "more than one"
        raise InputError(f"{run_id}: {many} run of that id in {options.absolute_uri}")
    run = found[0]
    if "status" not in run.tags:
        raise InputError(f"{run_id}: {run.name} did not run to its end, so nothing can be compared")

    def artifact(name: str) -> Path:
        with _one_line(f"run {run.run_id}", f"its {name} cannot be read"):
            return backend.file(run.run_id, name)

    return run, artifact


@contextmanager
def _one_line(where: str, what: str) -> Iterator[None]:
    """Turn what a store raises into a line."""
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except (MlflowException, SQLAlchemyError, OSError) as error:
        reason = str(error).partition("\n")[0]
        raise refusal(where, error) or InputError(f"{where}: {what} ({reason})") from None
