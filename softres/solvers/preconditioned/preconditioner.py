"""The matrix M of a step x - t M^-1 g: which matrix it is, and when it is brought up to date."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf, sqrt
from typing import Any

from softres.common.arrays import array_namespace
from softres.linalg.free_memory import check_squares
from softres.problems.curvature import Curvature
from softres.problems.evaluation import Evaluation
from softres.solvers.base import Tools
from softres.solvers.optimality import Metric, Projected
from softres.solvers.preconditioned.column_scaling import ColumnScaling
from softres.solvers.preconditioned.maintained import MaintainedHessian
from softres.solvers.preconditioned.move import Move
from softres.solvers.preconditioned.refresh import Progress, RefreshPolicy
from softres.solvers.preconditioned.secant import SecantPairs

__all__ = ["Preconditioner"]

#: Gauss-Newton steps with a new factor that contract by less than half, while the error does not
#: halve, before a saddle is suspected.
SADDLE_PATIENCE = 6
#: Shares of the difference to the Hessian that are tried beside the Gauss-Newton matrix.
RESIDUAL_SHARES = (0.75, 0.5, 0.25)


@dataclass
class Preconditioner:
    """M, and what is known about how well it does; it changes in place.

    Attributes
    ----------
    policy
        Weighs what a change of M saves against what it costs.
    pairs
        What the changes of the gradient say about the error of M.
    hessian
        The factored Hessian that follows the iterates.
    columns
        M while there is no factor.
    exact
        Whether ``hessian`` follows the Hessian, or where that is indefinite the Gauss-Newton
        matrix plus a share of their difference.
    progress
        How the last steps went.
    """

    policy: RefreshPolicy
    pairs: SecantPairs
    hessian: MaintainedHessian
    columns: ColumnScaling | None = None
    exact: bool = True
    progress: Progress = field(default_factory=Progress)
    _share: float = 0.0
    _weak: int = 0
    _least: float = inf  # estimate since the first of the weak steps
    _coarse: bool = False  # a sketch could not be factored
    _renewed: bool = False  # at the last point

    @property
    def astray(self) -> bool:
        """Whether Gauss-Newton has got nowhere for so long that a saddle may be near."""
        return self._weak >= SADDLE_PATIENCE

    @property
    def metric(self) -> Metric | None:
        """The factored Hessian, for who wants to look at a point; ``None`` without a factor."""
        hessian = self.hessian
        if self.columns is not None or hessian.factor is None:
            return None
        scale = hessian.matrix.column_scale
        return Projected(hessian.factor, hessian.null, scale, hessian.curvature)

    def solve(self, y: Any) -> Any:
        """Return M^-1 y."""
        if self.columns is not None:
            return self.columns.solve(y)
        assert self.hessian.factor is not None
        return self.hessian.project(self.hessian.factor.solve(y))

    def dual_norm(self, gradient: Any) -> float:
        """Return the norm of a gradient in M^-1: an estimate of the error in the norm of M."""
        return sqrt(max(0.0, float(gradient @ self.solve(gradient))))

    def norm(self, x: Any) -> float:
        """Return the norm of x in M."""
        if self.columns is not None:
            return self.columns.norm(x)
        return sqrt(max(0.0, float(x @ (self.hessian.total @ x))))

    def direction(self, gradient: Any) -> Any:
        """Return -M^-1 g, with M corrected by the secant pairs, for a gradient g, shape (d,)."""
        p = -self.pairs.apply(gradient, self.solve)
        unknown = self.exact and self.progress.left == inf
        if (self.policy.dear or unknown) and self.columns is None and not len(self.pairs):
            # The gradient in the norm of a new M comes free with the first direction: whether to
            # keep M is decided after one step with it, not after two.
            self.progress.left = sqrt(max(0.0, -float(gradient @ p)))
        return p

    def note(self, s: Any, y: Any, left: float, estimate: float) -> None:
        """Take in a step s, with the change y of the gradient.

        Parameters
        ----------
        s, y
            Shape (d,).
        left
            The new gradient in the norm of M^-1.
        estimate
            The estimated relative error.
        """
        rate = self.progress.contraction
        self.pairs.add(s, y)
        self.progress.note(left, estimate)
        if self.columns is not None:
            return
        if self._renewed:
            if not self.exact and self.progress.contraction > 0.5:
                self._weak += 1
            elif estimate <= 0.5 * self._least:
                # A single good step is no progress where the next one undoes it.
                self._weak = 0
            self._least = min(self._least, estimate) if self._weak else estimate
            # How well the first step with M went, from afar, says little about rows.
            if self.hessian.diffuse and self.hessian.updated and self.progress.steps > 2:
                self.progress.tried = rate

    def restart(self) -> None:
        """Forget what steps have told: the next one is of another kind."""
        self.pairs.clear()
        self.progress.restart()
        self._weak, self._least = 0, inf

    def use_factor(self) -> None:
        """Do without a factor no longer."""
        check_squares("preconditioned_newton", self.hessian.matrix, 3)
        self.columns = None
        self.restart()

    def follow(self, point: Evaluation, tools: Tools, info: dict[str, float]) -> bool:
        """Bring the maintained Hessian to a point and factor it; whether that succeeded.

        ``info`` gets the number of rows that were brought up to date.
        """
        hessian, policy, progress = self.hessian, self.policy, self.progress
        fresh = hessian.total is None
        factor = hessian.factor
        self._renewed = False
        if not fresh and policy.keep(progress):
            return True
        anew = fresh or policy.always_anew or policy.form_anew(progress)
        # A sketch takes the root of D, so that it starts from Gauss-Newton where D has two signs.
        sketch = fresh and policy.plan.source == "sketch" and not self._coarse
        if sketch:
            self.exact = not bool((point.curvature.diagonal < 0).any())
        elif not self.exact and not fresh:
            # The Hessian was indefinite when it was last tried.
            waited = progress.slow >= progress.patience if anew else not policy.dear
            self.exact = waited or policy.always_anew
        if anew:
            progress.form()
        move = Move(hessian, policy, point, tools, info, anew, sketch)
        if self.exact and self._reach(move, point.curvature):
            # A sketch stays wrong by the same amount: what the pairs say of it stays true.
            if anew or (info["rows_updated"] and not hessian.sketched):
                self.pairs.clear()
        elif not self._fall_back(move):
            if not sketch:
                return False
            # The exact rank-two part cancels most of the diagonal part: not for a sketch.
            self._coarse = True
            return self.follow(point, tools, info)
        self._renewed = hessian.factor is not factor
        return True

    def _fall_back(self, move: Move) -> bool:
        """Bring M to what is definite where the Hessian may not be; whether that succeeded."""
        indefinite = None
        # Beside a dear factor a Gram matrix costs little: the definite one is worth its price.
        if self.exact and move.anew and not move.sketch and not self.policy.dear:
            if not move.point.problem.normalised:
                indefinite = self.hessian.parts()
            # Blending is no gain for a normalised f: its slopes are not all small at once.
            elif self._mend(move):
                return True
        if not self._gauss_newton(move):
            return False
        if indefinite is not None:
            self._blend(move, indefinite)
        return True

    def _mend(self, move: Move) -> bool:
        """Replace the few rows that make a Hessian indefinite; whether that was enough.

        Where the residual takes most of a row's curvature, the row gets its Gauss-Newton entry.
        """
        exact, target = move.point.curvature, move.point.gauss_newton
        low = exact.diagonal < 0.5 * target.diagonal
        if int(low.sum()) > self.policy.costs.row_limit():
            return False
        self.exact = False
        self.pairs.clear()
        xp = array_namespace(low)
        mended = Curvature(xp.where(low, target.diagonal, exact.diagonal), target.v, target.h)
        return move.by_rows(mended, low)

    def _gauss_newton(self, move: Move) -> bool:
        """Bring M to the Gauss-Newton matrix or near it; whether that succeeded."""
        self.exact = False
        self.pairs.clear()
        # The matrix is semidefinite: if it cannot be factored, it is singular, or too many of its
        # rows are out of date.
        for anew in (True,) if move.anew else (False, True):
            target = move.point.gauss_newton
            if anew:
                self._share = 0.0
            elif self._share:
                change = move.point.curvature.diagonal - target.diagonal
                target = Curvature(target.diagonal + self._share * change)
            if self._reach(move.again(anew), target) or move.regularise():
                return True
        return False

    def _blend(self, move: Move, indefinite: tuple[Any, Any]) -> None:
        """Move the Gauss-Newton matrix as far towards the Hessian as it stays definite.

        Where f has hardly any slope, Gauss-Newton drops nearly all curvature. Both matrices are
        there already, so that a trial takes no more than a Cholesky factor.
        """
        hessian, noise = self.hessian, move.noise
        gauss_newton = hessian.parts()
        with move.tools.meter.phase("factor"):
            for share in (*RESIDUAL_SHARES, 0.0):
                hessian.blend(gauss_newton, indefinite, share)
                if hessian.refactor(noise) or (share == 0.0 and hessian.regularise(noise)):
                    self._share = share
                    return

    def _reach(self, move: Move, target: Curvature) -> bool:
        """Move to a curvature; whether the result is positive definite."""
        thrifty = self.exact and not move.anew and not self.policy.update_rows(self.progress)
        return move.to(target, exact=not self.exact, thrifty=thrifty)
