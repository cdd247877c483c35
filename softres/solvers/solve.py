"""The library's entry point."""

from __future__ import annotations

from typing import Any, overload

from softres.arrays import copied
from softres.errors import InputError
from softres.problems import Problem
from softres.reference import Reference
from softres.solvers.base import Solver
from softres.solvers.loop import Callback, iterate
from softres.solvers.many import ManyOptions, ManyResult, solve_many
from softres.solvers.registry import make_solver
from softres.solvers.result import Result
from softres.targets import ManyTargets

__all__ = ["solve"]


@overload
def solve(
    problem: ManyTargets,
    solver: str = ...,
    x0: Any = ...,
    eps: float = ...,
    max_steps: int = ...,
    time_limit: float | None = ...,
    *,
    megabytes: float = ...,
) -> ManyResult: ...
@overload
def solve(
    problem: Problem,
    solver: str | Solver = ...,
    x0: Any = ...,
    eps: float = ...,
    max_steps: int = ...,
    time_limit: float | None = ...,
    seed: int = ...,
    callback: Callback | None = ...,
    *,
    reference: Reference | None = ...,
    log: Callback | None = ...,
    **solver_options: Any,
) -> Result: ...
def solve(
    problem: Problem | ManyTargets,
    solver: str | Solver = "preconditioned_newton",
    x0: Any = None,
    eps: float = 1e-10,
    max_steps: int = 200,
    time_limit: float | None = None,
    seed: int = 0,
    callback: Callback | None = None,
    *,
    reference: Reference | None = None,
    log: Callback | None = None,
    **solver_options: Any,
) -> Result | ManyResult:
    """Minimise a problem's loss.

    Parameters
    ----------
    problem
        For instance ``softres.SoftResidualRegression(A, b, w)``; or ``softres.ManyTargets``, m
        problems over one A that are solved together and whose :class:`ManyResult` has an X of
        shape (d, m). For these ``solver`` is ``"preconditioned_newton"`` or ``"exact_newton"``,
        the one option is ``megabytes`` of work arrays (default 256), and there are no callbacks,
        reference or random numbers.
    solver
        A solver's name, or a solver. The default, ``"preconditioned_newton"``, is the fastest.
    x0
        The start, shape (d,); default ``problem.start()``, which is 0 for all problems but cosh.
    eps
        The goal, |x - x*| <= eps |x0 - x*|. With a ``reference`` the true error decides, in the
        Euclidean norm; without one the solver's own estimate of it: Newton's decrement over the
        distance from the start for the Newton solvers, |g| / |g0| for the others.
    max_steps
        Steps after which to give up.
    time_limit
        Seconds of solver time after which to give up; checked after each step.
    seed
        Seed of the solver's random numbers.
    callback
        Called after every step with the trace's row and the iterate; the columns it returns are
        added to the row. Its time counts as evaluation, never as solving.
    reference
        The certified minimiser; adds the columns of the error.
    log
        Like ``callback``, on the clock for logging, after the row is complete.
    **solver_options
        Options of the solver, such as ``eps0=0.25``.

    Returns
    -------
    Result
        Its trace has a row a step: ``step``, ``solve_seconds``, ``passes`` and ``grams`` (work on
        A so far), ``loss``, ``data_loss``, ``log_alpha``, ``gradient_norm``,
        ``relative_gradient``, ``estimate``, ``seconds_<phase>`` (so far), the solver's own
        columns, and with a reference ``error_l2``, ``error_H``, the same relative to the start,
        and ``contraction_l2``, ``contraction_H``.

    Raises
    ------
    InputError
        If an argument is out of range, the start lies where the loss is undefined, or the solver
        does not work on the problem's backend.

    Examples
    --------
    >>> import numpy as np, softres
    >>> rng = np.random.default_rng(0)
    >>> A, b = rng.standard_normal((50, 3)) / 5, np.full(50, 1 / 50)
    >>> result = softres.solve(softres.SoftResidualRegression(A, b, w=0.01))
    >>> result.status.value
    'converged'
    """
    if not 0 < eps < 1:
        raise InputError(f"eps={eps}: allowed is 0 < eps < 1, the error relative to the start")
    if max_steps < 1:
        raise InputError(f"max_steps={max_steps}: allowed is a whole number >= 1")
    if time_limit is not None and not time_limit > 0:
        raise InputError(f"time_limit={time_limit}: allowed is a positive number of seconds")
    if isinstance(problem, ManyTargets):
        if not (callback is None and log is None and reference is None):
            raise InputError("callback, log and reference are for a problem with one target")
        options = ManyOptions.of(solver_options)
        return solve_many(problem, solver, x0, eps, max_steps, time_limit, options)
    if isinstance(solver, str):
        solver = make_solver(solver, **solver_options)
    elif solver_options:
        raise InputError("solver options belong to a solver's name; a solver has its own already")
    problem = solver.prepare(problem)
    # A copy: a result must not share memory with the caller's start.
    start = problem.start() if x0 is None else copied(problem.matrix.asarray(x0))
    if tuple(start.shape) != (problem.d,):
        raise InputError(f"x0 must have shape ({problem.d},), not {tuple(start.shape)}")
    return iterate(
        problem,
        solver,
        start,
        eps=eps,
        max_steps=max_steps,
        time_limit=time_limit,
        seed=seed,
        callback=callback,
        log=log,
        reference=reference,
    )
