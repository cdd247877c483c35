"""The parts of a point that all others follow from."""

from __future__ import annotations

from typing import Any, NamedTuple

__all__ = ["Model", "Numbers", "Slopes"]


class Model(NamedTuple):
    """The model f(z) and its parts, over whatever factor keeps them finite.

    Its numbers are floats, and those of a device arrays without axes there.
    """

    f: Any  # u / alpha
    v: Any  # u' / alpha
    e: Any  # u'' / alpha
    c: Any  # f - b
    log_alpha: Any  # -inf where the sum is not positive
    ff: Any  # <f, f>
    fc: Any  # <f, c>
    cc: Any  # <c, c>


class Slopes(NamedTuple):
    """First and second derivatives in z, and the penalty; numbers as in :class:`Model`."""

    gradient: Any  # v * q + w^2 * z
    diagonal: Any  # D
    h: Any | None  # of the rank-two part
    penalty: Any  # |diag(w) z|^2
    trace: Any  # <D, 1>: finite only where every entry is


class Numbers(NamedTuple):
    """What of a point the host decides by."""

    log_alpha: float
    cc: float
    penalty: float
    trace: float
