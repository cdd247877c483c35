"""The one kind of error that a user's input can cause."""

from __future__ import annotations

__all__ = ["InputError"]


class InputError(ValueError):
    """Input that cannot be used; the message is one line: what is wrong, and what is allowed.

    The command line prints the message without a traceback and ends with status 2.
    """

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(message.split()))
