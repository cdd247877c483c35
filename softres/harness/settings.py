"""One run, checked: what all of the harness works from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from softres.data.base import DataSet
from softres.data.start import StartOptions
from softres.data.storage import Storage
from softres.data.weights import WeightOptions
from softres.matrices.backends import BackendOptions
from softres.solvers import Solver
from softres.tracking import TrackingOptions

__all__ = ["Settings"]


@dataclass(frozen=True)
class Settings:
    """One run, checked.

    Attributes
    ----------
    n, d
        Rows and columns of A.
    time_limit, memory_limit
        Seconds of solver time, and GiB that the job may take; ``None`` for no limit. Time is
        looked at after every step: one that has begun is finished. Nearly all of a Newton step is
        one or two Gram matrices, which nothing can interrupt.
    R
        |A|_2, or ``None`` for A as it comes.
    storage
        How A is stored.
    problem
        Name of the problem that is solved; a solver that stands for a problem has its way.
    problem_options
        Options of the problem's class.
    experiment
        Which claim the run belongs to (``id``, ``profile``), with options of its measurement;
        empty for a run of its own.
    tree
        The whole configuration as plain values, for showing and logging.
    """

    n: int
    d: int
    R: float | None
    eps: float
    seed: int
    max_steps: int
    time_limit: float | None
    memory_limit: float | None
    force: bool
    problem: str
    problem_options: Mapping[str, Any]
    solver: Solver
    backend: BackendOptions
    data: DataSet
    storage: Storage
    weights: WeightOptions
    start: StartOptions
    tracking: TrackingOptions
    experiment: Mapping[str, Any]
    tree: Mapping[str, Any]
