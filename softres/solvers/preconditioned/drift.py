"""How far a vector has moved: over all of it, for most of it, and where most."""

from __future__ import annotations

from math import isfinite, sqrt
from typing import Any

import numpy as np

from softres.common.arrays import array_namespace
from softres.matrices.backends import as_numpy
from softres.solvers.preconditioned import tuning

__all__ = ["ratio", "relative", "share", "threshold"]


def relative(new: Any, old: Any) -> float:
    """Return |new - old| / |new|."""
    gap = new - old
    return sqrt(float(gap @ gap) / max(float(new @ new), 1e-300))


def ratio(new: Any, old: Any) -> float:
    """Estimate the median of new / old from a sample; 1 where it is not positive."""
    step = max(1, old.shape[0] // tuning.MEDIAN_SAMPLE)
    a, b = as_numpy(new[::step]), as_numpy(old[::step])
    usable = b != 0
    if not usable.all():
        a, b = a[usable], b[usable]
    if not len(b):
        return 1.0
    # np.median takes several times as long.
    low, high = (len(b) - 1) // 2, len(b) // 2
    ordered = np.partition(a / b, (low, high))
    ratio = 0.5 * float(ordered[low] + ordered[high])
    return ratio if isfinite(ratio) and ratio > 0 else 1.0


def share(size: Any, chosen: Any) -> float:
    """Return what part of the total of ``size`` the chosen entries hold."""
    xp = array_namespace(size)
    part = float(xp.sum(xp.where(chosen, size, xp.zeros_like(size))))
    return part / max(float(xp.sum(size)), 1e-300)


def threshold(size: Any, limit: int) -> float:
    """Return a value that at most ``limit`` entries exceed."""
    host = as_numpy(size)
    at = len(host) - limit - 1
    return float(np.partition(host, at)[at])
