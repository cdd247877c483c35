"""The kind of error that a user's input can cause."""

from __future__ import annotations

from softres.common.text import printable

__all__ = ["InputError", "MismatchError"]


class InputError(ValueError):
    """Input that cannot be used; the message is one line: what is wrong, and what is allowed.

    The command line prints the message without a traceback and ends with status 2. It may quote
    what others wrote: characters that a terminal obeys are escaped.

    Examples
    --------
    >>> import numpy as np, softres
    >>> try:
    ...     softres.solve(softres.SoftmaxRegression(np.eye(2), [0.5, 0.5]), eps=2)
    ... except softres.InputError as error:
    ...     print(error)
    eps=2: allowed is 0 < eps < 1, the error relative to the start
    """

    def __init__(self, message: str) -> None:
        super().__init__(printable(" ".join(message.split())))


class MismatchError(InputError):
    """Values that are fine by themselves and make no sense together.

    In a sweep such a combination is left out, and said so; alone it is an error.
    """
