"""What the scripts' command lines share: answers in one line, and values that are checked."""

from __future__ import annotations

import argparse
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryFile
from typing import NoReturn

from softres.errors import InputError

__all__ = [
    "OneLineParser",
    "folder",
    "not_negative",
    "output_folder",
    "positive",
    "positive_whole",
]


class OneLineParser(argparse.ArgumentParser):
    """An argument parser that says in one line, without the usage, what is wrong.

    The line goes to stderr, and the exit status is 2. Its parsers of actions do the same.
    Parameters are those of :class:`argparse.ArgumentParser`, among them ``prog``.
    """

    def error(self, message: str) -> NoReturn:
        """Say what is wrong, and end with status 2."""
        line = " ".join(message.split())  # a value may hold line breaks
        self.exit(2, f"softres: {line}; --help shows what there is\n")


def positive(text: str) -> float:
    """Read the value of an option as a number above 0, infinity among them."""
    with suppress(ValueError):
        value = float(text)
        if value > 0:
            return value
    raise argparse.ArgumentTypeError(f"{text}: allowed is a positive number")


def positive_whole(text: str) -> int:
    """Read the value of an option as a whole number above 0."""
    with suppress(ValueError):
        value = int(text)
        if value > 0:
            return value
    raise argparse.ArgumentTypeError(f"{text}: allowed is a positive whole number")


def not_negative(text: str) -> float:
    """Read the value of an option as a number of at least 0."""
    with suppress(ValueError):
        value = float(text)
        if value >= 0:
            return value
    raise argparse.ArgumentTypeError(f"{text}: allowed is a number >= 0")


def folder(text: str) -> Path:
    """Read the value of an option as a folder that there is."""
    if not Path(text).is_dir():
        raise argparse.ArgumentTypeError(f"{text}: allowed is a folder that there is")
    return Path(text)


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
    try:
        path.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=path):  # permissions alone do not tell: think of /proc, or a quota
            return path
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise InputError(
            f"{option} {path}: {reason}; allowed is a folder that can be written to"
        ) from None
