"""Text that others wrote, made fit for a terminal and for a shell."""

from __future__ import annotations

import shlex
import unicodedata
from collections.abc import Iterable

__all__ = ["printable", "typed"]

#: Unicode's categories of what is obeyed, not shown: control and format characters (among them
#: those that reverse the direction of writing), halves of surrogate pairs, line separators.
_OBEYED = ("Cc", "Cf", "Cs", "Zl", "Zp")


def printable(text: str) -> str:
    r"""Return a text whose every character is shown as it stands.

    A name from a store or a file may hold line breaks that forge a line of ours, or sequences that
    a terminal obeys. They are written as Python writes them, ``\n`` and ``\x1b``.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(repr(one)[1:-1] if unicodedata.category(one) in _OBEYED else one for one in text)


def typed(words: Iterable[str]) -> str:
    r"""Return words as they are typed in a shell: one line, of characters that are shown.

    A word with others is quoted as bash, zsh and ksh have it, ``$'a\nb'``, and means the same.
    """
    return " ".join(
        shlex.quote(word) if printable(word) == word else f"$'{''.join(map(_coded, word))}'"
        for word in words
    )


def _coded(one: str) -> str:
    if one in "\\'":
        return f"\\{one}"
    if printable(one) == one:
        return one
    code = ord(one)
    return f"\\x{code:02x}" if code < 0x80 else f"\\U{code:08x}"
