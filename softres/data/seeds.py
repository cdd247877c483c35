"""Random numbers by role: the same seed gives the same instance to every solver."""

from __future__ import annotations

import hashlib

import numpy as np

__all__ = ["generator", "stream"]


def stream(seed: int, role: str, *context: object) -> int:
    """Return a 63-bit integer for a role such as ``"matrix"``, independent of other roles."""
    text = "\x1f".join([str(seed), role, *map(str, context)])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def generator(seed: int, role: str, *context: object) -> np.random.Generator:
    """Return a generator for a role within a seed and a context such as the instance's size."""
    return np.random.default_rng(stream(seed, role, *context))
