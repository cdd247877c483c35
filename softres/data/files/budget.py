"""How much memory reading a file may take, asked before it is taken.

A header of a few bytes can announce a matrix of any size, and a compressed file unpack to one.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from softres.common.errors import InputError

__all__ = ["allowance", "claim", "reading_within"]

GIB = 2**30
_LIMIT: ContextVar[float | None] = ContextVar("memory_limit", default=None)


@contextmanager
def reading_within(gib: float | None) -> Iterator[None]:
    """Let files that are read in the block take so many GiB; ``None`` is what the machine has."""
    token = _LIMIT.set(gib)
    try:
        yield
    finally:
        _LIMIT.reset(token)


def allowance() -> int:
    """Return how many bytes one array, or one unpacked text, may take."""
    import psutil

    limit = _LIMIT.get()
    return int(psutil.virtual_memory().total if limit is None else limit * GIB)


def claim(size: int, where: str, what: str) -> None:
    """Check that so many bytes may be taken.

    Parameters
    ----------
    size
        Bytes, as a header announces them.
    where
        The option that names the file, with which an error starts.
    what
        What they are for, in words.

    Raises
    ------
    InputError
        If they are more than ``memory_limit``, or than the machine has.
    """
    if size > allowance():
        limit = _LIMIT.get()
        allowed = (
            f"this machine has {allowance() / GIB:.3g}"
            if limit is None
            else f"memory_limit={limit:g}"
        )
        raise InputError(f"{where}: {what} takes {size / GIB:.3g} GiB, and {allowed}")
