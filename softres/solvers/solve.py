"""The library's entry point."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, overload

from softres.common.arrays import copied
from softres.common.checks import number, shown, whole
from softres.common.errors import InputError
from softres.matrices import given_array
from softres.problems import Problem
from softres.problems.instances import Instances
from softres.problems.many_targets import ManyTargets
from softres.problems.reference import Reference
from softres.solvers.base import Solver
from softres.solvers.loop import Callback, iterate
from softres.solvers.many import (
    InstancesResult,
    ManyOptions,
    ManyResult,
    solve_instances,
    solve_many,
)
from softres.solvers.registry import SOLVERS, make_solver
from softres.solvers.result import Result

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
    problem: Instances | Sequence[Problem],
    solver: str = ...,
    x0: Any = ...,
    eps: float = ...,
    max_steps: int = ...,
    time_limit: float | None = ...,
) -> InstancesResult: ...
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
    problem: Problem | ManyTargets | Instances | Sequence[Problem],
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
) -> Result | ManyResult | InstancesResult:
    """Minimise a problem's loss.

    Parameters
    ----------
    problem
        For instance ``softres.SoftResidualRegression(A, b, w)``; or ``softres.ManyTargets``, m
        problems over one A that are solved together and whose :class:`ManyResult` has an X of
        shape (d, m). For these ``solver`` is ``"preconditioned_newton"`` or ``"exact_newton"``,
        the one option is ``megabytes`` of work arrays (default 256), and there are no callbacks,
        reference or random numbers. Or ``softres.Instances``, k small problems of one shape with an
        A each, or a list of such problems: an :class:`InstancesResult` whose X has shape (k, d),
        with the same solvers and no option at all.
    solver
        A solver's name, or a solver. The default, ``"preconditioned_newton"``, is the fastest.
    x0
        The start, shape (d,); default ``problem.start()``, which is 0 for all problems but cosh.
    eps
        The goal, |x - x*| <= eps |x0 - x*|. With a ``reference`` the true error decides, in the
        Euclidean norm. Without one the norm is the Hessian's, and where a solver thinks that it is
        there, gradient and curvature are looked at: ``converged`` is said of a local minimiser
        whose Newton step is as short as asked for. The rounding of x* itself is the floor: a start
        that is the minimiser has converged after no step.
    max_steps
        Steps after which to give up.
    time_limit
        Seconds of solver time after which to give up; checked after each step.
    seed
        Seed of the solver's random numbers.
    callback
        Called after every step with the trace's row and the iterate; the columns it returns, none
        of them one of the row's own, are added to it. Its time counts as evaluation, never as
        solving.
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
        If an argument is out of range or of another kind, the start lies where the loss is
        undefined, the solver does not work on the problem's backend, its matrices of d x d do not
        fit the memory that is free, or the callback returns a column that the row has.

    Examples
    --------
    >>> import numpy as np, softres
    >>> rng = np.random.default_rng(0)
    >>> A, b = rng.standard_normal((50, 3)) / 5, np.full(50, 1 / 50)
    >>> result = softres.solve(softres.SoftResidualRegression(A, b, w=0.01))
    >>> result.status.value
    'converged'
    """
    if isinstance(problem, list | tuple):
        problem = Instances.of(problem)
    if not isinstance(problem, Problem | ManyTargets | Instances):
        raise InputError(
            f"problem={shown(problem)}: allowed is a problem, such as "
            "softres.SoftResidualRegression(A, b), a list of them, softres.ManyTargets(A, B) or "
            "softres.Instances(A, B)"
        )
    eps = number(
        "eps", eps, "0 < eps < 1, the error relative to the start", lambda value: 0 < value < 1
    )
    max_steps = whole("max_steps", max_steps)
    if time_limit is not None:
        time_limit = number("time_limit", time_limit, "a positive number of seconds")
    seed = whole("seed", seed, least=0)
    if isinstance(problem, ManyTargets | Instances):
        for name, given in (("callback", callback), ("log", log), ("reference", reference)):
            if given is not None:
                raise InputError(f"{name}={shown(given)}: is for a problem with one target")
        return _solve_together(problem, solver_options, (solver, x0, eps, max_steps, time_limit))
    if isinstance(solver, str):
        solver = make_solver(solver, **solver_options)
    elif not isinstance(solver, Solver):
        raise InputError(
            f"solver={shown(solver)}: allowed is a solver that make_solver has made, or a name: "
            f"{', '.join(SOLVERS)}"
        )
    elif solver_options:
        raise InputError("solver options belong to a solver's name; a solver has its own already")
    for name, function in (("callback", callback), ("log", log)):
        if function is not None and not callable(function):
            raise InputError(f"{name}={shown(function)}: allowed is a function of row and iterate")
    problem = solver.prepare(problem)
    _check_reference(reference, problem)
    # A copy: a result must not share memory with the caller's start.
    start = (
        problem.start()
        if x0 is None
        else copied(given_array(problem.matrix, "x0", x0, (problem.d,)))
    )
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


def _solve_together(
    problem: ManyTargets | Instances,
    options: Mapping[str, Any],
    arguments: tuple[object, Any, float, int, float | None],
) -> ManyResult | InstancesResult:
    """Solve many targets or many instances; see :func:`solve` for the arguments."""
    if isinstance(problem, ManyTargets):
        return solve_many(problem, *arguments, ManyOptions.of(options))
    if options:
        raise InputError(f"{next(iter(options))}: many instances have no such option, nor another")
    return solve_instances(problem, *arguments)


def _check_reference(reference: Reference | None, problem: Problem) -> None:
    if reference is None:
        return
    if not isinstance(reference, Reference):
        raise InputError(
            f"reference={shown(reference)}: allowed is a softres.Reference, a certified minimiser"
        )
    theirs = reference.problem
    if theirs.d != problem.d or theirs.matrix.backend != problem.matrix.backend:
        raise InputError(
            f"reference: its x has {theirs.d} entries on {theirs.matrix.backend}; this problem's "
            f"has {problem.d} on {problem.matrix.backend}"
        )
