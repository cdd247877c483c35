"""Why a job failed, said once a cause: a full disk fails every job of a sweep alike."""

from __future__ import annotations

import re
import sys
import traceback

from softres.common.errors import InputError
from softres.common.text import printable
from softres.harness.terminal.console import show_line

__all__ = ["show_failure"]

#: Causes that this process has told.
_told: set[tuple[object, ...]] = set()
#: Packages whose errors are of a store, not of the code.
_STORES = ("mlflow", "sqlalchemy", "sqlite3", "requests", "urllib3")
#: Characters of an error's line.
_LONGEST = 300


def show_failure(job: str, error: Exception) -> str:
    """Print why a job failed; return it in a line.

    What the user, the machine or the store is the cause of is one line; anything else comes with
    its traceback. A cause that was told before is named on standard output alone.

    Parameters
    ----------
    job
        What names the job.
    error
        What ended it.
    """
    line = printable(str(error).strip().partition("\n")[0][:_LONGEST])
    note = line if isinstance(error, InputError) else f"{type(error).__name__}: {line}"
    cause = _cause(error)
    if cause in _told:
        show_line(f"  failed: {note}", style="red")
        return note
    _told.add(cause)
    if isinstance(error, OSError | InputError) or _of_a_store(error):
        print(f"softres: {job}: {note}", file=sys.stderr, flush=True)
    else:
        traceback.print_exception(error)
    return note


def _of_a_store(error: Exception) -> bool:
    return type(error).__module__.partition(".")[0] in _STORES


def _cause(error: Exception) -> tuple[object, ...]:
    """Return what two jobs share that fail alike: no path, no number."""
    if isinstance(error, OSError) and error.errno is not None:
        return type(error), error.errno
    if isinstance(error, InputError):
        return type(error), str(error)
    text = re.sub(r"[0-9a-f]{8,}|\d+|/\S+", "", str(error).partition("\n")[0])
    frames = traceback.extract_tb(error.__traceback__)
    return type(error), text, frames[-1].lineno if frames and not _of_a_store(error) else None
