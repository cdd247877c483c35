"""What the scripts' command lines share: answers in one line, and values that are checked."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, NoReturn, TypeVar

from softres.common.errors import InputError
from softres.common.paths import expanded
from softres.common.printing import forgiving_output
from softres.common.text import printable

__all__ = [
    "OneLineParser",
    "add_clock",
    "add_store",
    "exit_status",
    "folder",
    "fraction",
    "not_negative",
    "number",
    "output_folder",
    "port",
    "positive",
    "positive_whole",
]

N = TypeVar("N", int, float)


class OneLineParser(argparse.ArgumentParser):
    """An argument parser that says in one line, without the usage, what is wrong.

    The line goes to stderr, and the exit status is 2. Its parsers of actions do the same.
    Parameters are those of :class:`argparse.ArgumentParser`, among them ``prog``.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        forgiving_output()  # a reader that has seen enough, "| head -1", ends no command
        super().__init__(*arguments, **options)

    def error(self, message: str) -> NoReturn:
        """Say what is wrong, and end with status 2."""
        line = printable(" ".join(message.split()))  # a value may hold line breaks
        self.exit(2, f"softres: {line}; --help shows what there is\n")


def exit_status(
    work: Callable[[], int | None], interrupted: Callable[[], object] | None = None
) -> int:
    """Do a command's work and return its exit status.

    Input that cannot be used is one line on stderr and status 2.

    Parameters
    ----------
    work
        Returns a status of its own, or ``None`` for 0.
    interrupted
        Says what Ctrl-C has left; the status is 130. Without it, Ctrl-C is the caller's.
    """
    try:
        return work() or 0
    except InputError as error:
        print(f"softres: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        if interrupted is None:
            raise
        interrupted()
        return 130


def number(kind: type[N], allows: Callable[[N], bool], allowed: str) -> Callable[[str], N]:
    """Return what reads the value of an option as a number.

    Parameters
    ----------
    kind
        ``int`` or ``float``.
    allows
        Whether a number is allowed.
    allowed
        What is, in words.
    """

    def read(text: str) -> N:
        with suppress(ValueError):
            value = kind(text)
            if allows(value):
                return value
        raise argparse.ArgumentTypeError(f"{text}: allowed is {allowed}")

    return read


#: A number above 0, infinity among them.
positive = number(float, lambda value: value > 0, "a positive number")
positive_whole = number(int, lambda value: value > 0, "a positive whole number")
not_negative = number(float, lambda value: value >= 0, "a number >= 0")
#: A number above 0 and below 1.
fraction = number(float, lambda value: 0 < value < 1, "a number above 0 and below 1")
port = number(int, lambda value: 1 <= value <= 65535, "a port, 1 to 65535")


def add_clock(parser: argparse.ArgumentParser) -> None:
    """Add the option that chooses which seconds are measured."""
    parser.add_argument(
        "--clock",
        choices=("wall", "cpu"),
        default="wall",
        help="cpu: seconds of the processor, for a machine that others use too",
    )


def add_store(parser: argparse.ArgumentParser) -> None:
    """Add the options that choose a store of runs."""
    parser.add_argument("--tracking-uri", help="sqlite:///file or http://host:port of the store")
    parser.add_argument("--folder", default="results", help="folder of the default store")


def folder(text: str) -> Path:
    """Read the value of an option as a folder that there is."""
    path = expanded(text)
    if not path.is_dir():
        raise argparse.ArgumentTypeError(f"{text}: allowed is a folder that there is")
    return path


def output_folder(path: Path, option: str = "--out") -> Path:
    """Make a folder where there is none, and see that files can be written to it.

    Parameters
    ----------
    path
        The folder.
    option
        What chose it.

    Raises
    ------
    InputError
        If it cannot be made or written to.
    """
    path = expanded(path, option)
    try:
        path.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=path):  # permissions alone do not tell: think of /proc, or a quota
            return path
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise InputError(
            f"{option} {path}: {reason}; allowed is a folder that can be written to"
        ) from None
