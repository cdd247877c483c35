"""Text files, plain or compressed, never more of them than may be held."""

from __future__ import annotations

import bz2
import gzip
from pathlib import Path
from typing import IO, Any, cast

from softres.data.files.budget import allowance, claim

__all__ = ["COMPRESSED", "first_line", "open_text", "read_text"]

#: Endings of compressed files.
COMPRESSED = (".gz", ".bz2")
_CHUNK = 1 << 20


def open_text(path: Path) -> IO[bytes]:
    """Open a file, unpacking it as it is read where its name ends as one of `COMPRESSED`."""
    if path.name.endswith(".gz"):
        return cast(IO[bytes], gzip.open(path, "rb"))
    return bz2.open(path, "rb") if path.name.endswith(".bz2") else path.open("rb")


def read_text(path: Path, where: str, most: int | None = None) -> bytearray:
    """Return the content of a file.

    Parameters
    ----------
    path
        The file.
    where
        The option that names it, with which an error starts.
    most
        Bytes that it may have; ``None`` for what memory allows.

    Raises
    ------
    InputError
        If it has more.
    ValueError
        If it holds a byte 0: it is no text.
    """
    limit = allowance() if most is None else min(most, allowance())
    content = bytearray()
    with open_text(path) as stream:
        while chunk := stream.read(_CHUNK):
            if b"\0" in chunk:
                raise ValueError("it is no text")
            content += chunk
            if len(content) > limit:
                claim(len(content), where, "its text")
                raise ValueError(f"it has more than the {limit} bytes that its head announces")
    return content


def first_line(content: Any) -> str:
    """Return the first line of a text, without its end."""
    line = bytes(content[: 1 << 16]).partition(b"\n")[0]
    return line.decode("utf-8-sig", errors="replace").rstrip("\r")
