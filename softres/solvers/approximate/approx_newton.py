"""Algorithm 1, to the letter or safeguarded: Newton's method from rows sampled by leverage."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil, isfinite
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from softres.common.arrays import array_namespace
from softres.linalg.free_memory import check_squares
from softres.matrices import DesignMatrix
from softres.matrices.backends import as_numpy
from softres.matrices.layered import LayeredMatrix
from softres.problems.evaluation import Evaluation
from softres.sketching import (
    EMBEDDINGS,
    SCHEMES,
    RowForms,
    block_scores,
    sample_rows,
    sample_size,
)
from softres.sketching.leverage import row_forms, sketched_whitening
from softres.solvers.approximate.literal_step import (
    Sparsifier,
    literal_step,
    planned_steps,
)
from softres.solvers.approximate.sampled_hessian import (
    SampledHessian,
    SampledMemory,
    remembered,
    rounds_well,
)
from softres.solvers.base import Solver, State, Tools, require
from softres.solvers.steps.newton import newton_step

__all__ = ["ApproxNewton"]

SCORES = ("leverage", "uniform")
VARIANTS = ("safeguarded", "paper")


@dataclass(frozen=True)
class ApproxNewton(Solver):
    """x+ = x - H~^-1 g (Definition A.9) with H~ = A^T (D~ + v h^T + h v^T) A.

    The diagonal part D is replaced by a sparse D~ drawn with approximate leverage scores of
    sqrt(|D|) A, so that (1 - eps0) A^T D A <= A^T D~ A <= (1 + eps0) A^T D A with probability
    1 - delta (Lemma A.8); the rank-two part is added exactly. The lemma wants D > 0. Where the
    weights are too small for that, rows keep the sign of D, the error is relative to A^T |D| A,
    and the step is safeguarded like exact Newton's.

    A problem with several layers has blocks in place of D, one for each row of the data, and these
    are sampled as wholes (:func:`softres.sketching.block_scores`), anew at every step.

    Attributes
    ----------
    variant
        ``"safeguarded"``, the above, made to converge where the theorem promises nothing; or
        ``"paper"``, Algorithm 1 to the letter. The latter has H~ = A^T D~ A, the rank-two part
        dropped; full steps, no line search and no trust region; and fresh scores and a fresh
        sample at each of at most T = log(|x0 - x*| / eps) steps, each of which may fail with
        probability delta / T. It wants w large: where D has a negative entry it ends, as a linear
        solve that failed.
    eps0
        Spectral accuracy; the induction of Lemma A.11 needs eps0 <= 4/45 = 0.0889.
    delta
        Failure probability of one sparsifier; of all T together with variant=paper.
    constant
        C in s = C eps0^-2 d log(d / delta). For exact scores the matrix Chernoff bound proves the
        lemma with 9/4 for eps0 <= 1/4 and d >= 6. Rows along the axes, many to each axis, come
        closest to it: they need 1.5 to 1.7, and 1.9 to 2.2 with scores from 4 ln n columns.
        Gaussian rows need less. At delta = 1% and eps0 = 1/4, 1 fails in up to 9% of trials and
        9/4 in at most 0.2% (d from 5 to 20).
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
        ``"banded_sign"`` (16 nonzeros a column in two bands, by dense products), ``"sparse_sign"``
        (8 nonzeros a column) or ``"count_sketch"``.
    oversampling
        Rows of the embedding over d.
    reuse
        Safeguarded: scores are used for as many steps as their upper bound at the step's D, see
        :class:`softres.sketching.RowForms`, asks for at most this many times the rows that fresh
        ones ask for. The bound keeps the guarantee. 1 makes new scores at every step.
        Rows are multiplied in single precision where the sketch shows the Gram matrix to be
        conditioned well enough for an error of eps0 / 50.
    hold
        Safeguarded: share of eps0 that the sampled Hessian may lag behind. Rows are drawn for
        (1 - hold) eps0, and H~ serves for as long as a bound on how far the Hessian has moved, see
        :class:`softres.solvers.approximate.sampled_hessian.SampledHessian`, leaves it within eps0.
        0 draws at every step.
    """

    name: ClassVar[str] = "approx_newton"
    order: ClassVar[int] = 3
    resumes: ClassVar[bool] = True
    variant: str = "safeguarded"
    eps0: float = 0.08
    delta: float = 0.01
    constant: float = 2.25
    rows: int | None = None
    scores: str = "leverage"
    sampling: str = "independent"
    embedding: str = "banded_sign"
    oversampling: float = 4.0
    reuse: float = 2.0
    hold: float = 0.05

    def __post_init__(self) -> None:
        super().__post_init__()
        require(0 < self.eps0 < 1, self, "eps0", "0 < eps0 < 1")
        require(0 < self.delta < 1, self, "delta", "0 < delta < 1")
        require(self.constant > 0, self, "constant", "a positive number")
        require(self.rows is None or self.rows >= 1, self, "rows", "a whole number >= 1")
        require(self.scores in SCORES, self, "scores", " or ".join(SCORES))
        require(self.sampling in SCHEMES, self, "sampling", " or ".join(SCHEMES))
        require(self.embedding in EMBEDDINGS, self, "embedding", " or ".join(EMBEDDINGS))
        require(self.oversampling >= 1, self, "oversampling", "a number >= 1")
        require(self.reuse >= 1, self, "reuse", "a number >= 1")
        require(0 <= self.hold < 1, self, "hold", "0 <= hold < 1")
        require(self.variant in VARIANTS, self, "variant", " or ".join(VARIANTS))
        if self.bare:
            # A value is refused where it was given for nothing; the defaults are nobody's wish.
            for option, off in (("reuse", 1.0), ("hold", 0.0), ("scores", "leverage")):
                kept = getattr(self, option) in (off, type(self).__dict__[option])
                require(kept, self, option, f"only {off} with variant=paper")

    @property
    def bare(self) -> bool:
        """Whether the method is the paper's alone."""
        return self.variant == "paper"

    @property
    def _drawn_eps(self) -> float:
        """The accuracy that rows are drawn for; uniform or given rows promise none to share."""
        promised = self.scores == "leverage" and self.rows is None
        return self.eps0 * (1.0 - self.hold) if promised else self.eps0

    @property
    def _sparsifier(self) -> Sparsifier:
        return Sparsifier(
            self.eps0,
            self.delta,
            self.constant,
            self.rows,
            self.sampling,
            self.embedding,
            self.oversampling,
        )

    def sample_size(self, d: int, eps: float = 1e-10) -> int:
        """Return the number of rows drawn a step for A with d columns.

        Parameters
        ----------
        eps
            What the solve is asked for: the paper's variant shares delta among its T steps.
        """
        if self.bare:
            return self._sparsifier.size(d, planned_steps(eps))
        return self.rows or sample_size(d, self._drawn_eps, self.delta, self.constant)

    def init(self, tools: Tools) -> State:
        """Start at x0, and warn where sampling cannot save anything."""
        n, d = tools.start.problem.n, tools.start.problem.d
        if self.bare or not tools.start.problem.blocks_by_layer:
            what = "variant=paper" if self.bare else f"solver={self.name}"
            tools.start.problem.require_diagonal(what)
        check_squares(self.name, tools.start.problem.matrix, 3)
        s = self.sample_size(d, tools.eps)
        if s >= n:
            same = "nothing is sampled" if self.bare else "this is exact Newton"
            tools.warn(
                f"{'the lemma' if self.rows is None else 'solver.rows'} asks for {s} rows and A "
                f"has {n}: none is left out, so {same}; a larger n or solver.eps0 "
                "leaves rows out, such as n=200000 d=10"
            )
        if self.rows is not None and self.rows < d:
            tools.warn(f"approx_newton draws {s} rows for d = {d}: the sampled Hessian is singular")
        if not self.bare:  # the paper's drops the rank-two part
            tools.start.differentiate()
        return State(tools.start)

    def step(self, state: State, tools: Tools) -> State:
        """Score the rows, sample them, and take a step, safeguarded or the paper's own."""
        if self.bare:
            return literal_step(state, tools, self._sparsifier)
        point = state.point
        memory = remembered(state.memory)
        info: dict[str, float] = {"fresh_hessian": float(memory.held is None)}
        held = memory.held
        if held is None:
            memory, held = self._sample(point, memory, tools, info)

        def gauss_newton() -> Any:
            sampled = held.sample.gram(point.problem.matrix, point.gauss_newton.weights)
            return point.gauss_newton.hessian(point.problem.matrix, sampled)

        goes_on = False

        def serves(new: Evaluation) -> bool:
            nonlocal goes_on
            with tools.meter.phase("drift"):
                goes_on = held.error(new.curvature) <= self.eps0
            return goes_on

        memory = replace(memory, held=None)
        after = newton_step(
            replace(state, memory=memory),
            tools,
            held.matrix,
            gauss_newton,
            info,
            serves if self._drawn_eps < self.eps0 and not point.problem.blocks else None,
        )
        return replace(after, memory=replace(after.memory, held=held)) if goes_on else after

    def _sample(
        self, point: Evaluation, memory: SampledMemory, tools: Tools, info: dict[str, float]
    ) -> tuple[SampledMemory, SampledHessian]:
        """Return the Hessian at a point from sampled rows, and what the next step may use."""
        matrix, D = point.problem.matrix, point.curvature.weights
        xp = array_namespace(D)
        if self.scores == "leverage":
            with tools.meter.phase("sketch"):
                memory, scores = self._scores(memory, matrix, D, tools, info)
            s = self._rows(matrix, scores)
        else:
            scores, s = np.ones(point.problem.n), self.sample_size(matrix.shape[1])
        with tools.meter.phase("sampling"):
            sample = sample_rows(scores, s, tools.rng, self.sampling)
            gram = sample.gram(matrix, D, single=memory.single)
        with tools.meter.phase("hessian"):
            hessian = SampledHessian.at(point, gram, sample, scores, self._drawn_eps)
        info |= {
            "rows_drawn": float(sample.drawn),
            "rows_distinct": float(len(sample.index)),
            "negative_diagonal": float(xp.sum(xp.astype(point.curvature.diagonal < 0, xp.int64))),
        }
        return memory, hessian

    def _scores(
        self,
        memory: SampledMemory,
        matrix: DesignMatrix,
        D: Any,
        tools: Tools,
        info: dict[str, float],
    ) -> tuple[SampledMemory, npt.NDArray[np.float64]]:
        """Return scores of sqrt(|D|) A, or upper bounds of them, and what the next step may use."""
        if isinstance(matrix, LayeredMatrix):
            info |= {"fresh_scores": 1.0, "score_growth": 1.0}
            options = (self.embedding, self.oversampling)
            return memory, block_scores(matrix, D, tools.rng, *options)
        size = np.abs(as_numpy(D)).astype(np.float64)
        if memory.forms is not None and self.reuse > 1:
            bounds, growth = memory.forms.bound(size, matrix.shape[1])
            if growth <= self.reuse:
                info |= {"fresh_scores": 0.0, "score_growth": growth}
                return memory, bounds
        scale = matrix.asarray(np.sqrt(size))
        W = sketched_whitening(matrix, scale, tools.rng, self.embedding, self.oversampling)
        forms = RowForms(row_forms(matrix, W, tools.rng), size)
        info |= {"fresh_scores": 1.0, "score_growth": 1.0}
        single = rounds_well(W, as_numpy(matrix.column_scale), self.eps0)
        return replace(memory, forms=forms, single=single), forms.scores()

    def _rows(self, matrix: DesignMatrix, scores: npt.NDArray[np.float64]) -> int:
        """Return the rows to draw: the lemma's for each unit of leverage."""
        d = matrix.shape[1]
        if self.rows is not None:
            return self.rows
        asked = self.sample_size(d) * float(scores.sum()) / d
        if not isfinite(asked):
            raise np.linalg.LinAlgError("the leverage scores are not finite")
        return ceil(asked)
