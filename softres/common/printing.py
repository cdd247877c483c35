"""Standard output and error that never end a command: printing does not decide what is done."""

from __future__ import annotations

import io
import os
import sys
from errno import EPIPE
from select import select
from typing import TextIO

__all__ = ["forgiving_output"]


class _Forgiving(io.RawIOBase):
    """A file descriptor whose writes never fail; from the first one that would have, none is tried.

    Parameters
    ----------
    descriptor
        Of the open file.
    name
        What is said to be lost.
    """

    def __init__(self, descriptor: int, name: str) -> None:
        self._descriptor, self._name = descriptor, name
        self._lost = False

    def write(self, data: object) -> int:
        """Write what can be written; return as if all had been."""
        view = memoryview(data).cast("B")  # type: ignore[arg-type]  # a buffer: typeshed has no name
        done = 0
        while done < len(view) and not self._lost:
            try:
                done += os.write(self._descriptor, view[done:])
            except BlockingIOError:  # a slow reader of a pipe that does not wait
                select([], [self._descriptor], [])
            except OSError as error:
                self._lose(error)
        return len(view)

    def _lose(self, error: OSError) -> None:
        self._lost = True
        # A reader that has seen enough, "| head -1", has closed the pipe: that is no trouble.
        if error.errno != EPIPE and self._descriptor == 1:
            print(
                f"softres: warning: {self._name} takes no more ({error.strerror}); the work goes "
                "on unseen",
                file=sys.stderr,
            )

    def writable(self) -> bool:
        """Whether it can be written: always."""
        return True

    def fileno(self) -> int:
        """Return the file descriptor."""
        return self._descriptor

    def isatty(self) -> bool:
        """Whether a terminal shows it."""
        return os.isatty(self._descriptor)


def forgiving_output() -> None:
    r"""Let what this process prints be lost where it cannot be written, and go on.

    A character that the encoding has not is printed as its escape, ``\u03b1``. A full disk or a
    closed terminal is said once on standard error; a closed pipe is not. Streams that are not the
    process's own are left as they are.
    """
    sys.stdout = _forgiving(sys.stdout, sys.__stdout__, "standard output")
    sys.stderr = _forgiving(sys.stderr, sys.__stderr__, "standard error")


def _forgiving(stream: TextIO, own: TextIO | None, name: str) -> TextIO:
    if stream is not own or not isinstance(stream, io.TextIOWrapper):
        return stream
    try:
        descriptor = stream.fileno()
        stream.flush()
    except (OSError, ValueError):
        return stream
    # No buffer between the two: one that Ctrl-C interrupts after a write writes it all once more.
    return io.TextIOWrapper(
        _Forgiving(descriptor, name),  # type: ignore[type-var]  # as "python -u" has it
        encoding=stream.encoding,
        errors="backslashreplace",
        line_buffering=stream.line_buffering,
        write_through=stream.write_through,
    )
