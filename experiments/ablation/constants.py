"""The tuned constants, the other values that each is given, and how it is given one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from math import inf
from typing import Any

from softres.solvers.preconditioned import tuning
from softres.solvers.preconditioned.preconditioned_newton import PreconditionedNewton

__all__ = ["MEMORY", "OFF", "OTHER", "Ablated", "ablated", "replaced", "values_now"]

#: The one tuned number that is an option of the solver: how many secant pairs are kept.
MEMORY = "memory"
#: So many that no number of rows or steps reaches it.
_ALL = 10**9
#: Values with which what a constant decides is never done, or is no longer asked about. Without
#: one: what is counted or priced has no neutral value.
OFF: dict[str, Any] = {
    "TIGHT_SEARCH": inf,
    "LOOSE_SEARCH": inf,
    "OVERSAMPLING": (),
    "SKETCH_SHARE": inf,
    "SPARSE_PRODUCT": 1.0,
    "EMBEDDING_WORK": 0,
    "TRIAL_PRICE": 0.0,
    "PROMISING_ERROR": inf,
    "SAMPLE_ROWS": _ALL,
    "SAMPLE_SHARE": 1.0,
    "LEAST_CURVATURE": 0.0,
    "SINGLE_ROWS": inf,
    "SINGLE_FLOOR": 0.0,
    "TOLERATED": 0.0,
    "ROW_CHANGE": 0.0,
    "CONCENTRATED": 0.0,
    "ROW_SHARE": 1.0,
    "ROWS_PER_COLUMN": 0.0,
    "STALE": 0.0,
    "MEDIAN_SAMPLE": _ALL,
    "CHEAP_GRAM": 0.0,
    "EXPENSIVE": inf,
    "BEST_CONTRACTION": 1e-12,
    "WORST_CONTRACTION": 1.0 - 1e-12,
    "SLOW_CONTRACTION": 0.0,
    "PATIENCE": 0,
    "PATIENCE_GROWTH": 1,
    "MAX_SLOW_STEPS": _ALL,
    "REBUILD_HELPED": inf,
    "ROWS_HELPED": inf,
    "FAR_STEPS": 0,
    "CORRECTION_CONTRACTION": 0.0,
    "CORRECTION_OVERHEAD": 0.0,
    "CURVED": 0.0,
    "INDEFINITE_ROW": 0.0,
    "RESIDUAL_SHARES": (),
    "WEAK_CONTRACTION": inf,
    "SADDLE_PROGRESS": 0.0,
    "SADDLE_PATIENCE": _ALL,
    "RIDGES": (),
    "RIDGED_NOISE": 0.0,
    MEMORY: 1,
}
#: Values in place of half and twice where these mean nothing.
OTHER: dict[str, tuple[Any, Any]] = {
    "WORST_CONTRACTION": (0.9, 0.999),
    "RESIDUAL_SHARES": ((0.5,), (0.875, 0.75, 0.625, 0.5, 0.375, 0.25, 0.125)),
}


@dataclass(frozen=True)
class Ablated:
    """A constant and its other values.

    Attributes
    ----------
    name
        As in :mod:`softres.solvers.preconditioned.tuning`, or :data:`MEMORY`.
    value
        What it is.
    half, twice
        Half and twice that; each entry's where it is a tuple.
    off
        A value that switches off what it decides; ``None`` where there is none.
    """

    name: str
    value: Any
    half: Any
    twice: Any
    off: Any = None

    @property
    def settings(self) -> dict[str, Any]:
        """The other values by name, each of them once."""
        named: dict[str, Any] = {}
        for name, value in (("half", self.half), ("twice", self.twice), ("off", self.off)):
            if value not in (None, self.value, *named.values()):
                named[name] = value
        return named


def values_now() -> dict[str, Any]:
    """Return the constants and their values, in the order in which they are said."""
    options = {field.name: field.default for field in fields(PreconditionedNewton)}
    constants = {name: value for name, value in vars(tuning).items() if name.isupper()}
    return constants | {MEMORY: options[MEMORY]}


def ablated() -> list[Ablated]:
    """Return all constants with their other values."""
    found = []
    for name, value in values_now().items():
        half, twice = OTHER.get(name) or (_times(value, 0.5), _times(value, 2))
        found.append(Ablated(name, value, half, twice, OFF.get(name)))
    return found


def _times(value: Any, factor: float) -> Any:
    if isinstance(value, tuple):
        return tuple(_times(entry, factor) for entry in value)
    return max(1, int(value * factor)) if isinstance(value, int) else value * factor


@contextmanager
def replaced(name: str, value: Any) -> Iterator[dict[str, Any]]:
    """Give a constant another value for a while.

    Yields
    ------
    dict
        The options for the solver that go with it.
    """
    if name == MEMORY:
        yield {MEMORY: value}
        return
    before = getattr(tuning, name)
    setattr(tuning, name, value)
    try:
        yield {}
    finally:
        setattr(tuning, name, before)
