"""Newton's method on many small problems at once, each with an A of its own."""

from __future__ import annotations

from time import perf_counter
from typing import Any

import numpy as np

from softres.common.arrays import copied
from softres.common.checks import shown
from softres.common.errors import InputError
from softres.matrices import given_array
from softres.matrices.convert import as_matrix
from softres.problems.instances import Instances
from softres.solvers.exact_newton import ExactNewton
from softres.solvers.loop import iterate
from softres.solvers.many.instance_block import InstanceBlock
from softres.solvers.many.result import InstancesResult
from softres.solvers.result import Status

__all__ = ["INSTANCE_SOLVERS", "solve_instances"]

#: The names that ask for Newton's method on many instances.
INSTANCE_SOLVERS = ("preconditioned_newton", "exact_newton")
#: Bytes of the matrices A of one block: they and what follows from them stay in a core's cache.
BLOCK_BYTES = 1 << 21


def solve_instances(
    problem: Instances,
    solver: object = "preconditioned_newton",
    x0: Any = None,
    eps: float = 1e-10,
    max_steps: int = 200,
    time_limit: float | None = None,
) -> InstancesResult:
    """Minimise the loss of every instance; see :func:`softres.solve` for the parameters.

    Newton's method with the exact Hessian, Gauss-Newton's where that is not definite, and a line
    search by halves, on blocks of instances whose A fit a cache together. What
    :func:`softres.solvers.optimality.examine` asks of a minimiser is asked of each where its next
    step would begin, of z = A x formed anew and its own Hessian. What is not clear there, a nearly
    singular Hessian, an iterate near alpha = beta, or no way on, is solved alone, from its start.

    Raises
    ------
    InputError
        If an argument is out of range, or a start lies where the loss is undefined.
    """
    if not (isinstance(solver, str) and solver in INSTANCE_SOLVERS):
        raise InputError(
            f"solver={shown(solver)}: many instances are solved by "
            f"{' or '.join(INSTANCE_SOLVERS)} only"
        )
    begin = perf_counter()
    starts = problem.start()
    if x0 is not None:
        rows = as_matrix(problem.A[:, 0, :])
        starts = given_array(rows, "x0", x0, (problem.d,), (problem.k, problem.d)) + 0.0 * starts
    X, statuses = copied(starts), [Status.STALLED] * problem.k
    steps, alone = np.zeros(problem.k, dtype=np.int64), np.zeros(problem.k, dtype=bool)
    width = max(16, BLOCK_BYTES // (8 * problem.n * problem.d))
    with np.errstate(all="ignore"):  # what leaves the range of doubles is looked for
        for first in range(0, problem.k, width):
            ids = np.arange(first, min(first + width, problem.k))
            block = InstanceBlock.at(problem, ids, starts)
            while len(block.ids):
                block = block.step(X, statuses, steps, eps, max_steps, alone)
                if time_limit is not None and perf_counter() - begin >= time_limit:
                    for i in block.ids:
                        statuses[i] = Status.TIME_LIMIT
                    X[block.ids] = block.x
                    break
    for i in np.flatnonzero(alone):
        left = None if time_limit is None else max(1e-9, time_limit - (perf_counter() - begin))
        result = iterate(
            problem.one(int(i)), ExactNewton(), copied(starts[i]), eps=eps, max_steps=max_steps,
            time_limit=left, seed=0, callback=None, log=None, reference=None,
        )  # fmt: skip
        X[i], statuses[i] = result.x, result.status
        steps[i] = result.steps
    return InstancesResult(X, tuple(statuses), steps, alone, perf_counter() - begin)
