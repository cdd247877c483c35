"""Text that others wrote, made fit for a terminal."""

from __future__ import annotations

import unicodedata

__all__ = ["printable"]

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
