"""The typed top level of the configuration."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass
class SweepSchema:
    """How a command goes through its jobs.

    Attributes
    ----------
    dry_run
        Only show what would run, how long and in how much memory.
    figures
        At the end, draw the sweep and each of its runs.
    objective
        What a sweeper such as optuna minimises.
    """

    dry_run: bool = False
    figures: bool = True
    objective: str = "error"


@dataclass
class RunSchema:
    """Top-level keys and their types; the groups are checked by their own option classes.

    Attributes
    ----------
    n, d
        Rows and columns of A, of made-up data; other data have a size of their own.
    R
        The norm |A|_2 that made-up data are scaled to, and the radius that the theorem is read
        with.
    eps
        The goal, |x_T - x*| <= eps |x0 - x*|.
    seed
        Of A, b and the solver's random numbers.
    max_steps
        Steps after which a solver gives up; some solvers bring a limit of their own.
    time_limit
        Seconds of solver time after which it gives up, looked at after every step.
    memory_limit
        GiB that a job may take before it is stopped.
    force
        Run again what is already finished.
    plugins
        Files with solvers, problems, data sets or claims of your own.
    """

    n: int | None = None
    d: int | None = None
    R: float | None = None
    eps: float = 1e-10
    seed: int = 0
    max_steps: int = 200
    time_limit: float | None = None
    memory_limit: float | None = None
    force: bool = False
    sweep: SweepSchema = field(default_factory=SweepSchema)
    start: dict[str, Any] = field(default_factory=dict)
    problem: dict[str, Any] = field(default_factory=dict)
    solver: dict[str, Any] = field(default_factory=dict)
    backend: dict[str, Any] = field(default_factory=dict)
    data: dict[str, Any] = field(default_factory=dict)
    weights: dict[str, Any] = field(default_factory=dict)
    tracking: dict[str, Any] = field(default_factory=dict)
    experiment: dict[str, Any] = field(default_factory=dict)
    plugins: list[str] = field(default_factory=list)
