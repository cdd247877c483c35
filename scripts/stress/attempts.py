"""Solving an instance with several solvers, and judging what each says of its end."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from instances import Instance, draw
from posing import arrays, host, loss_of, options_of, start_of
from verify import verify

import softres
from softres.certification.minimiser import find_minimiser
from softres.common.errors import InputError
from softres.problems import make_problem

__all__ = ["SOLVERS", "Attempt", "attempts"]

#: Every solver, with the most steps that it gets: the first-order ones are slow.
SOLVERS = {
    "preconditioned_newton": 100,
    "exact_newton": 100,
    "approx_newton": 100,
    "many_targets": 100,
    "many_targets:exact": 100,
    "softmax_regression": 100,
    "resnet_regression": 100,
    "gradient_descent": 60,
    "scipy_lbfgs": 80,
    "scipy_trust_ncg": 60,
    "scipy_newton_cg": 60,
    "torch_lbfgs": 60,
    "find_minimiser": 0,
}
#: Solvers that bring a problem of their own.
OWN_PROBLEM = {"softmax_regression": ("softmax", ""), "resnet_regression": ("resnet", "exp")}
#: What a certificate promises, in the norm of the Hessian.
CERTIFIED_EPS = 1e-8


@dataclass(frozen=True)
class Attempt:
    """How one solver ended on one target of an instance.

    Attributes
    ----------
    number, target
        The instance, and the column of its B.
    solver
        The solver's name.
    solves
        The problem that it solved, for solvers to be compared on.
    status
        In one word: ``converged``, ``stalled``, ...; ``refused`` for an `InputError`,
        ``exception`` for any other, ``certified`` or ``uncertified`` for a reference.
    fault
        What is wrong with it; ``""`` if nothing is.
    warnings
        Python's warnings on the way.
    x, detail
        The point, and what was found there.
    """

    number: int
    target: int
    solver: str
    solves: str
    status: str
    fault: str = ""
    warnings: tuple[str, ...] = ()
    x: tuple[float, ...] = ()
    detail: str = ""
    steps: int = 0


def attempts(number: int, only: frozenset[str] = frozenset()) -> list[Attempt]:
    """Return what the solvers that are due for a number made of its instance.

    Parameters
    ----------
    only
        Solvers, and words that describe an instance; others are left out. Empty: all.
    """
    instance = draw(number)
    wanted = only & SOLVERS.keys()
    if not only - wanted <= instance.words:
        return []
    return [
        attempt
        for solver in _due(number, instance)
        if not wanted or solver in wanted
        for attempt in _attempts(instance, solver)
    ]


def _due(number: int, instance: Instance) -> list[str]:
    """Return the solvers for an instance: the two Newton's always, the others in turn."""
    rng = np.random.default_rng((number, 1))
    due = ["preconditioned_newton", "exact_newton"]
    if rng.random() < 0.5:
        due.append("approx_newton")
    others = list(SOLVERS)[3:]
    torch = instance.kind.startswith("torch")
    others = [name for name in others if not name.startswith("scipy" if torch else "torch")]
    if instance.kind not in ("numpy", "sparse"):
        others.remove("find_minimiser")
    return due + [str(name) for name in rng.choice(others, 1 + (rng.random() < 0.3), replace=False)]


def _attempts(instance: Instance, solver: str) -> Iterator[Attempt]:
    """Yield one attempt for each target that the solver takes."""
    name, branch = OWN_PROBLEM.get(solver, (instance.problem, instance.branch))
    solves = f"{name}:{branch}" if branch else name
    common = (solver, solves)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            ends = list(_solve(instance, solver, name, branch))
        except InputError as error:
            ends = [_End("refused", detail=str(error))]
        except Exception as error:
            kind = type(error).__name__
            ends = [_End("exception", fault=f"{kind} in {_place(error)}", detail=str(error))]
    lines = tuple(dict.fromkeys(_warning(line) for line in caught))
    for target, end in enumerate(ends):
        yield Attempt(
            instance.number,
            target,
            *common,
            end.status,
            end.fault,
            lines if target == 0 else (),
            () if end.x is None else tuple(float(value) for value in end.x),
            end.detail,
            end.steps,
        )


@dataclass(frozen=True)
class _End:
    status: str
    x: Any = None
    fault: str = ""
    detail: str = ""
    steps: int = 0


def _solve(instance: Instance, solver: str, name: str, branch: str) -> Iterator[_End]:
    A, B, w = arrays(instance)
    options = options_of(name, branch)
    if solver.startswith("many_targets"):
        yield from _solve_many(
            instance, solver, softres.ManyTargets(A, B, w, problem=name, **options)
        )
        return
    problem = make_problem(name, A, B[:, 0], w, **options)
    x0 = start_of(instance, problem)
    if solver == "find_minimiser":
        yield _reference(instance, problem, x0)
        return
    result = softres.solve(
        problem,
        solver,
        x0,
        eps=instance.eps,
        max_steps=SOLVERS[solver],
        seed=instance.number,
    )
    x0 = problem.start() if x0 is None else x0
    if solver in OWN_PROBLEM and instance.start == "default":
        x0 = problem.start()
    yield _judge(instance, problem, 0, x0, result.x, result.status, result.steps)


def _solve_many(instance: Instance, solver: str, problem: softres.ManyTargets) -> Iterator[_End]:
    method = "exact_newton" if solver.endswith("exact") else "preconditioned_newton"
    x0 = start_of(instance, problem.one(0))
    result = softres.solve(problem, method, x0, eps=instance.eps, max_steps=SOLVERS[solver])
    starts = problem.start()
    for t, (status, row) in enumerate(zip(result.statuses, result.target_rows, strict=True)):
        start = starts[:, t] if x0 is None else x0
        yield _judge(instance, problem.one(t), t, start, result.X[:, t], status, int(row["steps"]))


def _reference(instance: Instance, problem: Any, x0: Any) -> _End:
    """Judge a certified minimiser, and whether a solve may start from it."""
    start = problem.start() if x0 is None else x0
    if not problem.at(start).inside:
        return _End("refused", detail="the start")
    x, certificate = find_minimiser(problem, start)
    fault = detail = ""
    if certificate.certified:
        verdict = verify(loss_of(instance, problem, 0), start, x, CERTIFIED_EPS)
        fault, detail = verdict.fault, f"{verdict}; {certificate}"
    try:
        softres.solve(problem, "exact_newton", x, eps=instance.eps, max_steps=1)
    except InputError as error:
        fault, detail = "no start", str(error)
    return _End("certified" if certificate.certified else "uncertified", x, fault, detail)


def _judge(
    instance: Instance, problem: Any, target: int, x0: Any, x: Any, status: Any, steps: int
) -> _End:
    x0, x = host(x0), host(x)
    word = status.name.lower()
    if word != "converged":
        return _End(word, x, steps=steps)
    verdict = verify(loss_of(instance, problem, target), x0, x, instance.eps)
    return _End(word, x, verdict.fault, str(verdict), steps)


def _place(error: BaseException) -> str:
    """Return the last line of softres that an exception passed."""
    place, trace = "?", error.__traceback__
    while trace is not None:
        path = trace.tb_frame.f_code.co_filename
        if "softres" in path:
            place = f"{path.rpartition('softres/')[2]}:{trace.tb_lineno}"
        trace = trace.tb_next
    return place


def _warning(line: warnings.WarningMessage) -> str:
    where = line.filename.rpartition("softres/")[2].rpartition("site-packages/")[2]
    return f"{line.category.__name__}: {line.message} ({where}:{line.lineno})"
