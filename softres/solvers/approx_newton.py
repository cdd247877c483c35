"""Algorithm 1: Newton's method with a Hessian whose diagonal part is sampled by leverage scores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from array_api_compat import array_namespace

from softres.sketching import EMBEDDINGS, SCHEMES, approximate_scores, sample_rows, sample_size
from softres.solvers.base import Solver, State, Tools, require
from softres.solvers.newton import newton_step

__all__ = ["ApproxNewton"]

SCORES = ("leverage", "uniform")


@dataclass(frozen=True)
class ApproxNewton(Solver):
    """x+ = x - H~^-1 g (Definition A.9) with H~ = A^T (D~ + v h^T + h v^T) A.

    The diagonal part D is replaced by a sparse D~ drawn with approximate leverage scores of
    sqrt(|D|) A, so that (1 - eps0) A^T D A <= A^T D~ A <= (1 + eps0) A^T D A with probability
    1 - delta (Lemma A.8); the rank-two part is added exactly. The lemma wants D > 0. Where the
    weights are too small for that, rows keep the sign of D, the error is relative to A^T |D| A,
    and the step is safeguarded like exact Newton's.

    Attributes
    ----------
    eps0
        Spectral accuracy; the induction of Lemma A.11 needs eps0 <= 4/45 = 0.0889.
    delta
        Failure probability of one sparsifier.
    constant
        C in s = C eps0^-2 d log(d / delta). A matrix Chernoff bound proves the lemma for exact
        scores with C = 2 (1 + eps0 / 3) and log(2 d / delta), which 5/2 covers for eps0 <= 1/4.
        Smaller constants come close: 1 exceeded eps0 in 3 to 4% of trials at delta = 1%.
    rows
        The number of rows s itself; overrides eps0, delta and constant.
    scores
        ``"leverage"``, or ``"uniform"`` to see what the scores are good for.
    sampling
        ``"independent"``: each row kept with probability min(1, s p_i). ``"replacement"``: s draws.
        The rank-two part may cancel most of the diagonal part where f is peaked, and the error
        of a row that carries f does not cancel with it; independent sampling keeps such rows
        exactly.
    embedding
        ``"sparse_sign"`` (8 nonzeros a column) or ``"count_sketch"``.
    oversampling
        Rows of the embedding over d.
    """

    name: ClassVar[str] = "approx_newton"
    eps0: float = 0.08
    delta: float = 0.01
    constant: float = 2.5
    rows: int | None = None
    scores: str = "leverage"
    sampling: str = "independent"
    embedding: str = "sparse_sign"
    oversampling: float = 4.0

    def __post_init__(self) -> None:
        require(0 < self.eps0 < 1, self, "eps0", "0 < eps0 < 1")
        require(0 < self.delta < 1, self, "delta", "0 < delta < 1")
        require(self.constant > 0, self, "constant", "a positive number")
        require(self.rows is None or self.rows >= 1, self, "rows", "a whole number >= 1")
        require(self.scores in SCORES, self, "scores", " or ".join(SCORES))
        require(self.sampling in SCHEMES, self, "sampling", " or ".join(SCHEMES))
        require(self.embedding in EMBEDDINGS, self, "embedding", " or ".join(EMBEDDINGS))
        require(self.oversampling >= 1, self, "oversampling", "a number >= 1")

    def sample_size(self, d: int) -> int:
        """Return the number of rows drawn a step for A with d columns."""
        return self.rows or sample_size(d, self.eps0, self.delta, self.constant)

    def init(self, tools: Tools) -> State:
        """Start at x0, and warn where sampling cannot save anything."""
        n, d = tools.start.problem.matrix.shape
        s = self.sample_size(d)
        if s >= n:
            tools.warn(
                f"approx_newton asks for {s} rows of {n}: sampling saves nothing here; "
                "raise n or solver.eps0, or set solver.rows"
            )
        if self.rows is not None and self.rows < d:
            tools.warn(f"approx_newton draws {s} rows for d = {d}: the sampled Hessian is singular")
        return State(tools.start)

    def step(self, state: State, tools: Tools) -> State:
        """Score the rows, sample them, add the rank-two part, and take a safeguarded step."""
        point = state.point
        matrix = point.problem.matrix
        n, d = matrix.shape
        D = point.curvature.diagonal
        xp = array_namespace(D)
        if self.scores == "leverage":
            with tools.meter.phase("sketch"):
                scale = xp.sqrt(xp.abs(D))
                scores = approximate_scores(
                    matrix, scale, tools.rng, kind=self.embedding, oversampling=self.oversampling
                )
        else:
            scores = np.ones(n)
        with tools.meter.phase("sampling"):
            sample = sample_rows(scores, self.sample_size(d), tools.rng, self.sampling)
            gram = sample.gram(matrix, D)
        with tools.meter.phase("hessian"):
            H = point.curvature.hessian(matrix, gram)
        info = {
            "rows_drawn": float(sample.drawn),
            "rows_distinct": float(len(sample.index)),
            "negative_diagonal": float(xp.sum(xp.astype(D < 0, xp.int64))),
        }

        def gauss_newton() -> Any:
            sampled = sample.gram(matrix, point.gauss_newton.diagonal)
            return point.gauss_newton.hessian(matrix, sampled)

        return newton_step(state, tools, H, gauss_newton, info)
