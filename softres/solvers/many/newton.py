"""Newton's method on one block of targets: shared products with A, a factor for each target."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from math import inf, sqrt
from typing import Any

import numpy as np
import numpy.typing as npt

from softres.common.arrays import array_namespace, norm
from softres.linalg.factors import CholeskyFactor
from softres.matrices.backends import as_numpy
from softres.problems import Problem
from softres.solvers.many.factors import factor_all, factor_ridged
from softres.solvers.many.model import RowModel, chunks
from softres.solvers.many.rays import search_rays

__all__ = ["Block", "start_block", "step_block"]

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

#: Price of a target's Gram matrix in steps: a new factor about doubles the digits that a step
#: gains, so it pays where twice as many steps are left with the old one.
PRICE = 4.0
#: Contraction worse than which a factor is renewed in any case.
SLOW_CONTRACTION = 0.5
#: Slow steps in a row with new Gauss-Newton factors after which the Hessian itself is tried.
MAX_SLOW_STEPS = 4
#: Slow steps in a row after which a target is left to be solved alone.
GIVE_UP = 25


@dataclass
class Block:
    """Targets that are still being solved; entry i of everything belongs to target ``ids[i]``.

    Attributes
    ----------
    ids
        Their columns of B.
    x, x0, gradient
        Iterates, starts and gradients as rows, shape (k, d), of A's kind.
    z, targets
        A x and b (n b for plain problems) as rows, shape (k, n), of A's kind.
    value, gradient0, estimate, seconds, steps
        Losses, norms of the gradients at the start, estimated relative errors, seconds and steps.
    solved
        M^-1 g with the present factors M, as rows, shape (k, d), of A's kind.
    left, rate
        |g| in the norm of M^-1, and the factor by which the last step shrank it.
    fresh
        Whether the last step's factor was new.
    gauss_newton, double
        Which matrix to factor next, and whether in double precision.
    ridged
        Whether a multiple of the identity was added to a singular matrix.
    slow
        Slow steps in a row.
    """

    ids: npt.NDArray[np.int64]
    x: Any
    x0: Any
    z: Any
    targets: Any
    gradient: Any
    value: Floats
    gradient0: Floats
    estimate: Floats
    seconds: Floats
    steps: npt.NDArray[np.int64]
    solved: Any
    left: Floats
    rate: Floats
    fresh: Flags
    gauss_newton: Flags
    double: Flags
    ridged: Flags
    slow: npt.NDArray[np.int64]
    factors: npt.NDArray[np.object_]

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, keep: Flags) -> Block:
        """Return the chosen targets."""
        return replace(self, **{f.name: getattr(self, f.name)[keep] for f in fields(self)})

    def norms(self) -> Floats:
        """Euclidean norms of the gradients, shape (k,)."""
        return np.array([norm(gradient) for gradient in self.gradient])


def start_block(problem: Problem, ids: Any, x0: Any, targets: Any, share: bool) -> Block:
    """Return the targets of one block at their starts, shape (k, d), as rows.

    ``share`` says that all start from one x: their Gauss-Newton matrices, which do not depend on
    b, are then one matrix with one factor.
    """
    xp = array_namespace(x0)
    matrix, k = problem.matrix, len(ids)
    z = _rows(matrix.matmul(x0.T))
    value, gradient_z = np.empty(k), xp.empty_like(z)
    for part in chunks(problem, k):
        model = RowModel(problem, z[part], targets[part])
        value[part] = np.where(model.inside, model.value, np.nan)
        gradient_z[part] = model.gradient_z
    block = Block(
        ids=ids,
        x=x0,
        x0=x0,
        z=z,
        targets=targets,
        gradient=matrix.rmatmul(gradient_z.T).T,
        value=value,
        gradient0=np.zeros(k),
        estimate=np.full(k, inf),
        seconds=np.zeros(k),
        steps=np.zeros(k, dtype=np.int64),
        solved=xp.zeros_like(x0),
        left=np.full(k, inf),
        rate=np.full(k, inf),
        fresh=np.zeros(k, dtype=bool),
        gauss_newton=np.ones(k, dtype=bool),
        double=np.zeros(k, dtype=bool),
        ridged=np.zeros(k, dtype=bool),
        slow=np.zeros(k, dtype=np.int64),
        factors=np.full(k, None, dtype=object),
    )
    block.gradient0 = block.norms()
    if share and np.isfinite(value[0]):
        block.factors[:] = factor_all(problem, z[:1], targets[:1], True, False)[0]
    return block


def step_block(problem: Problem, block: Block, eps: float, keep_factors: bool) -> tuple[Flags, int]:
    """Take one step with every target of the block, in place.

    Two products with A serve all of them: A P for the line searches, which then need none, and
    A^T G for the gradients.

    Returns
    -------
    Which targets cannot go on from where they are, and how many factors were renewed.
    """
    renewed = _renew(problem, block, eps, keep_factors)
    factored = np.array([factor is not None for factor in block.factors])
    _solve(block, factored & (renewed | (block.steps == 0)))
    solved = block.solved
    decrement = np.where(factored, _products(block.gradient, solved), 0.0)
    block.left = np.sqrt(np.maximum(decrement, 0.0))
    ap = _rows(problem.matrix.matmul(-solved.T))
    found = search_rays(problem, block.targets, block.z, ap, block.value, -decrement)
    moved = found.t > 0
    # A target that found no decrease with an old factor gets a new one, and another chance.
    stuck = ~moved & (block.fresh | ~factored)
    block.steps += moved
    lengths = problem.matrix.asarray(found.t)[:, None]
    block.x = block.x - lengths * solved
    block.z += lengths * ap
    block.value = found.value
    gradient = problem.matrix.rmatmul(found.gradient_z.T).T
    where = array_namespace(gradient).where
    block.gradient = where(lengths > 0, gradient, block.gradient)
    _judge(block, moved)
    return stuck, int(renewed.sum())


def _judge(block: Block, moved: Flags) -> None:
    """Estimate the errors after a step, and how good the factors are."""
    _solve(block, moved)
    after = np.sqrt(np.maximum(_products(block.gradient, block.solved), 0.0))
    travelled = np.zeros(len(block))
    for i in np.flatnonzero(moved):
        travelled[i] = _norm(block.factors[i], block.x[i] - block.x0[i])
    with np.errstate(all="ignore"):
        block.rate = np.where(moved, after / block.left, inf)
        # The errors to come add up as a geometric series, of which `after` is the first.
        ahead = np.maximum(1.0 - block.rate, 0.1)
        block.estimate = np.where(moved & (travelled > 0), after / travelled / ahead, inf)
    slow = ~(block.rate <= SLOW_CONTRACTION)
    block.slow = np.where(slow, block.slow + 1, 0)
    patient = (block.slow == 0) | (block.slow % MAX_SLOW_STEPS > 0)
    block.gauss_newton = np.where(block.gauss_newton, patient, slow)


def _renew(problem: Problem, block: Block, eps: float, keep_factors: bool) -> Flags:
    """Renew the factors that cost more steps than they save; return which."""
    missing = np.array([factor is None for factor in block.factors])
    with np.errstate(all="ignore"):
        left = np.log(block.estimate / eps) / np.log(1.0 / block.rate)
    renewal_pays = (
        ~(block.rate <= SLOW_CONTRACTION) | (left > 2.0 * PRICE)
        if keep_factors
        else np.ones(len(block), bool)
    )
    need = missing | (renewal_pays & (block.steps > 0))
    block.fresh = need | (block.steps == 0)
    # The Hessian where it is asked for; then, and where it is not definite, Gauss-Newton.
    todo = need.copy()
    for gauss_newton, single in ((False, True), (False, False), (True, True), (True, False)):
        chosen = todo & ~(block.double & single)
        if not gauss_newton:
            chosen &= ~block.gauss_newton
        rows = np.flatnonzero(chosen)
        if not len(rows):
            continue
        factors = factor_all(problem, block.z[rows], block.targets[rows], gauss_newton, single)
        for i, factor in zip(rows, factors, strict=True):
            block.factors[i] = factor
            todo[i] = factor is None
            if factor is None and single and gauss_newton:
                block.double[i] = True
        block.gauss_newton[rows] |= gauss_newton
    rows = np.flatnonzero(todo)
    if len(rows):
        block.ridged[rows] = True
        block.factors[rows] = factor_ridged(problem, block.z[rows], block.targets[rows])
    return need


def _solve(block: Block, chosen: Flags) -> None:
    """Bring M^-1 g up to date for the chosen targets."""
    for i in np.flatnonzero(chosen):
        block.solved[i] = block.factors[i].solve(block.gradient[i])


def _norm(factor: CholeskyFactor, y: Any) -> float:
    """Return |y| in the norm of the factored matrix."""
    scaled = factor.lower.T @ (factor.scale * y)
    return sqrt(float(scaled @ scaled))


def _products(a: Any, b: Any) -> Floats:
    """Return <a_i, b_i> for each row, shape (k,), on the host."""
    with np.errstate(all="ignore"):
        return as_numpy(array_namespace(a).vecdot(a, b)).astype(np.float64)


def _rows(columns: Any) -> Any:
    """Return the columns of (n, k) as contiguous rows, shape (k, n)."""
    rows = columns.T
    return np.ascontiguousarray(rows) if isinstance(rows, np.ndarray) else rows.contiguous()
