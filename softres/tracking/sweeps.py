"""Which sweeps a run belongs to: a tag for each of them, for MLflow's filters know no "or"."""

from __future__ import annotations

import hashlib

__all__ = ["PREFIX", "in_sweep", "key_of", "members_of"]

#: Begins the key of each such tag; its value is the sweep's name.
PREFIX = "sweep."


def key_of(sweep: str) -> str:
    """Return what stands for a sweep in keys, where most characters of its name may not."""
    return hashlib.sha256(sweep.encode()).hexdigest()[:12]


def in_sweep(sweep: str | None) -> dict[str, str]:
    """Return the tag of a run that a sweep asked for, whether it had to be run or not."""
    return {} if sweep is None else {PREFIX + key_of(sweep): sweep}


def members_of(sweep: str) -> str:
    """Return the search filter of the runs of a sweep."""
    return f"tags.`{PREFIX}{key_of(sweep)}` = '{sweep}'"
