"""Algorithm 1 to the letter: the rank-two part dropped, a full step, nothing carried over.

As the family of papers prints it, with D = B_diag(x) + W^2 the diagonal part of the curvature:

    T = log(|x0 - x*| / eps)
    repeat T times:  D~ = SUBSAMPLE(D, A, eps1, delta / T)
                     x <- x - (A^T D~ A)^-1 g(x)

The loop's eps is relative to |x0 - x*|, so that T = log(1 / eps) is known without x*. What makes
it legal to drop the rank-two part is a w^2 so large that W^2 is all of the curvature but a tenth.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil, log, sqrt
from typing import Any

from softres.common.arrays import array_namespace, dual_norm
from softres.linalg.factors import cholesky
from softres.problems.evaluation import Evaluation
from softres.sketching import approximate_scores, sample_rows, sample_size
from softres.solvers.base import State, Tools
from softres.solvers.result import Status
from softres.solvers.steps.newton import estimated_error

__all__ = ["Sparsifier", "literal_step", "planned_steps"]

NAME = "approx_newton with variant=paper"


def planned_steps(eps: float) -> int:
    """Return T = log(|x0 - x*| / eps) for an eps relative to |x0 - x*|, rounded up, at least 1."""
    return max(1, ceil(log(1.0 / eps)))


@dataclass(frozen=True)
class Sparsifier:
    """SUBSAMPLE, the sparsifier of Lemma A.8.

    Attributes
    ----------
    eps1
        Spectral accuracy of each A^T D~ A.
    delta
        Failure probability of all steps together; each has delta / T of it.
    constant
        C in s = C eps1^-2 d log(d T / delta).
    rows
        The number of rows itself; overrides the three above.
    sampling
        How rows are drawn, see :func:`softres.sketching.sample_rows`.
    embedding, oversampling
        Of the sketch that estimates the leverage scores.
    """

    eps1: float
    delta: float
    constant: float
    rows: int | None
    sampling: str
    embedding: str
    oversampling: float

    def size(self, d: int, steps: int) -> int:
        """Return the rows drawn at each of so many steps for A with d columns."""
        return self.rows or sample_size(d, self.eps1, self.delta / steps, self.constant)

    def gram(self, point: Evaluation, tools: Tools, info: dict[str, float]) -> Any:
        """Return A^T D~ A, shape (d, d), from scores and rows drawn anew."""
        matrix, D = point.problem.matrix, point.curvature.diagonal
        with tools.meter.phase("sketch"):
            scores = approximate_scores(
                matrix,
                array_namespace(D).sqrt(D),
                tools.rng,
                kind=self.embedding,
                oversampling=self.oversampling,
            )
        with tools.meter.phase("sampling"):
            s = self.size(matrix.shape[1], planned_steps(tools.eps))
            sample = sample_rows(scores, s, tools.rng, self.sampling)
            gram = sample.gram(matrix, D)
        info |= {"rows_drawn": float(sample.drawn), "rows_distinct": float(len(sample.index))}
        return gram


def literal_step(state: State, tools: Tools, sparsifier: Sparsifier) -> State:
    """Take one step of Algorithm 1 to the letter.

    It ends, with a line that says why, where the method has no next step: after T steps, where D
    has a negative entry (Lemma A.8 samples a positive D), where A^T D~ A is not definite, and
    where the full step leaves the loss's domain.
    """
    point, taken = state.point, int(state.memory or 0)
    T = planned_steps(tools.eps)
    if taken >= T:
        tools.warn(
            f"{NAME} takes T = log(|x0 - x*| / eps) = {T} steps, and has not got to eps in them"
        )
        return replace(state, status=Status.STEP_LIMIT)
    D = point.curvature.diagonal
    xp = array_namespace(D)
    negative = int(xp.sum(xp.astype(~(D >= 0), xp.int64)))
    info = {"negative_diagonal": float(negative), "fresh_scores": 1.0, "fresh_hessian": 1.0}
    if negative:
        tools.warn(
            f"{NAME} samples D = B_diag + W^2 where no entry is negative; {negative} of "
            f"{D.shape[0]} are, at step {taken + 1}: it asks for a larger w"
        )
        return replace(state, status=Status.LINEAR_SOLVE_FAILED)
    gram = sparsifier.gram(point, tools, info)
    with tools.meter.phase("factor"):
        factor = cholesky(gram, point.problem.matrix.column_scale, point.problem.gram_noise)
    if factor is None:
        tools.warn(
            f"{NAME}: A^T D~ A from {info['rows_distinct']:.0f} rows is not positive definite, at "
            f"step {taken + 1}"
        )
        return replace(state, status=Status.LINEAR_SOLVE_FAILED)
    p = -factor.solve(point.gradient)
    after = point.along(p).at(1.0)
    if not after.inside:
        tools.warn(
            f"{NAME}: the full step {taken + 1} leaves alpha >= beta or the range of doubles; x is "
            "the point before it"
        )
        return replace(state, status=Status.DIVERGED)
    info |= {
        "decrement": sqrt(max(0.0, -float(point.gradient @ p))),
        "step_length": 1.0,
        "trials": 1.0,
    }
    gradient = after.gradient
    left = dual_norm(gradient, factor.solve(gradient))
    return State(after, estimated_error(left, after, gram, tools), info, memory=taken + 1)
