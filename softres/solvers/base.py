"""What a solver is: options in a frozen dataclass, and two methods, ``init`` and ``step``."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from softres.common.checks import check_types, shown
from softres.common.errors import InputError
from softres.problems import Problem
from softres.problems.evaluation import Evaluation
from softres.solvers.clock import Meter
from softres.solvers.optimality import Metric
from softres.solvers.result import Status

__all__ = ["Solver", "State", "Tools", "guarded_step", "require"]


@dataclass(frozen=True)
class State:
    """Where a solver stands after a step.

    Attributes
    ----------
    point
        The iterate.
    estimate
        The solver's own estimate of the iterate's error relative to the start's; used to stop
        where no reference solution is at hand.
    info
        Figures of the step that led here, as columns of the trace.
    status
        Set where the solver cannot go on from here.
    memory
        What the solver carries to its next step.
    metric
        A positive definite matrix near the Hessian, with its factor, where the solver has one.
    """

    point: Evaluation
    estimate: float = float("inf")
    info: Mapping[str, float] = field(default_factory=dict)
    status: Status | None = None
    memory: Any = None
    metric: Metric | None = None


@dataclass(frozen=True)
class Tools:
    """What the loop lends a solver.

    Attributes
    ----------
    start
        The evaluation at x0.
    meter
        For phases.
    seed
        Of the solver's random numbers.
    eps
        The relative error that is asked for.
    max_steps
        The loop's limit.
    warnings
        Lines for the user; a repeated line is kept once.
    """

    start: Evaluation
    meter: Meter
    seed: int
    eps: float
    max_steps: int
    warnings: dict[str, None] = field(default_factory=dict)

    @cached_property
    def rng(self) -> np.random.Generator:
        """The solver's own random numbers; not every solve asks for them."""
        return np.random.default_rng(self.seed)

    def warn(self, line: str) -> None:
        """Keep a line for the user."""
        self.warnings.setdefault(line)


@dataclass(frozen=True)
class Solver(ABC):
    """A method and its options; holds no state of a run.

    A class of a folder, a plug-in or an entry point with a ``name`` is a choice of ``solver``; its
    fields are options, and a ``max_steps`` of the class is the default of that key.
    """

    name: ClassVar[str]
    #: The problem that the solver always solves, whatever problem it is given; ``None``: any.
    problem: ClassVar[str | None] = None
    #: The backends that the solver works on.
    backends: ClassVar[tuple[str, ...]] = ("numpy", "torch")
    #: Whether a step begins at the state's point whoever put it there, even past the solver's end.
    resumes: ClassVar[bool] = False

    def prepare(self, problem: Problem) -> Problem:
        """Return the problem to solve: the given one, unless the solver stands for another.

        Raises
        ------
        InputError
            If A lives on a backend that the solver does not work on.
        """
        backend = problem.matrix.backend
        if backend not in self.backends:
            raise InputError(
                f"solver={self.name} works on backend={' or '.join(self.backends)} only, "
                f"and A is on {backend}"
            )
        return problem

    def __post_init__(self) -> None:
        """Check that the options are of their declared types; a solver adds their ranges."""
        check_types(self, "solver.")

    @property
    def bare(self) -> bool:
        """Whether the loop does nothing for the method where it is stuck or at a saddle."""
        return False

    @abstractmethod
    def init(self, tools: Tools) -> State:
        """Return the state at the start."""

    @abstractmethod
    def step(self, state: State, tools: Tools) -> State:
        """Return the state after one step."""

    def close(self, state: State) -> None:  # noqa: B027 - most solvers hold nothing
        """Let go of what the state holds, such as a thread."""


def guarded_step(solver: Solver, state: State, tools: Tools) -> State:
    """Take a step; a factorisation that fails ends the solve, and no step warns.

    What leaves the range of doubles is looked for where it matters.
    """
    with np.errstate(all="ignore"):
        try:
            return solver.step(state, tools)
        except Exception as error:  # NumPy and torch raise different classes of the same name
            if type(error).__name__ not in {"LinAlgError", "_LinAlgError"}:
                raise
            return replace(state, status=Status.LINEAR_SOLVE_FAILED)


def require(condition: bool, solver: Solver, option: str, allowed: str) -> None:
    """Raise an :class:`InputError` that names a solver's option unless the condition holds."""
    if not condition:
        value = shown(getattr(solver, option))
        raise InputError(f"solver.{option}={value}: {solver.name} allows {allowed}")
