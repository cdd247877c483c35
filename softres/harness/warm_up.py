"""An untimed solve of a small instance, so that no run pays for the first call of a library."""

from __future__ import annotations

from time import perf_counter
from typing import Any

import numpy as np

from softres.harness.settings import Settings
from softres.matrices.kronecker import kronecker_matrix
from softres.problems import PROBLEMS, make_problem
from softres.solvers import solve

__all__ = ["warm_up"]

#: Backends, problems and solvers that this process has warmed up.
_done: set[tuple[str, ...]] = set()


def warm_up(settings: Settings) -> float:
    """Take two steps on a 256 x 8 problem of the same kind and backend.

    Loads libraries, starts BLAS threads and, on an accelerator, compiles or loads kernels.

    Returns
    -------
    The seconds it took; 0 if this process has done it before.
    """
    backend = settings.backend
    kind = (backend.name, backend.device, backend.dtype, settings.problem, settings.solver.name)
    if kind in _done:
        return 0.0
    start = perf_counter()
    rng = np.random.default_rng(0)
    A: Any = rng.standard_normal((256, 8)) / 16.0
    if PROBLEMS[settings.problem].factored:
        A = kronecker_matrix(A[:16, :2], A[16:32, :4])
    A = backend.convert(A)
    problem = make_problem(
        settings.problem, A, np.full(256, 1 / 256), 1e-2, **settings.problem_options
    )
    x0 = 0.1 * rng.standard_normal(problem.d)
    solve(problem, settings.solver, x0, eps=1e-3, max_steps=2)
    _done.add(kind)
    return perf_counter() - start
