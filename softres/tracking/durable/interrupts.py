"""Let a signal wait until a store has taken what it was being given."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

__all__ = ["uninterrupted"]

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_under_way = threading.Event()  # a block of the main thread


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Hold SIGINT and SIGTERM back until the block ends, and then raise what came.

    An exception out of the middle of a transaction would leave a database locked by our own
    connection, and one between the creation of a run and its ``with`` block would leave the run
    RUNNING. Whoever sends a second signal does not want to wait: it gets through at once.

    Signals whose default is to end the process without unwinding still do so. In other threads
    than the main one, which get no signals, nothing changes. Of nested blocks the outermost counts.
    """
    if _under_way.is_set() or threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []

    def hold(number: int, frame: FrameType | None) -> None:
        came.append(number)
        if len(came) > 1:
            restore()
            signal.raise_signal(number)

    handlers = {number: signal.getsignal(number) for number in _SIGNALS}
    held = {number: old for number, old in handlers.items() if callable(old)}

    def restore() -> None:
        _under_way.clear()
        for number, old in held.items():
            signal.signal(number, old)

    _under_way.set()
    for number in held:
        signal.signal(number, hold)
    try:
        yield
    finally:
        restore()
        if len(came) == 1:
            signal.raise_signal(came[0])
