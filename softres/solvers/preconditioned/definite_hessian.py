"""Which definite matrix stands for the Hessian at a point: itself, or what of it is definite."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from softres.common.arrays import array_namespace
from softres.problems.curvature import Curvature
from softres.problems.evaluation import Evaluation
from softres.solvers.base import Tools
from softres.solvers.preconditioned import tuning
from softres.solvers.preconditioned.maintained import MaintainedHessian
from softres.solvers.preconditioned.move import Move
from softres.solvers.preconditioned.refresh import Progress, RefreshPolicy

__all__ = ["DefiniteHessian"]


@dataclass
class DefiniteHessian:
    """The maintained Hessian, kept positive definite; it changes in place.

    Where the Hessian is indefinite, the few rows that make it so get their Gauss-Newton entry; or
    the Gauss-Newton matrix takes its place, plus as large a share of their difference as leaves it
    definite.

    Attributes
    ----------
    policy
        Weighs what a change saves against what it costs.
    hessian
        The factored matrix that follows the iterates.
    exact
        Whether it follows the Hessian itself.
    renewed
        Whether it was factored at the last point.
    error_changed
        Whether its error at the last point is another than before: what secant pairs tell of it
        holds no longer.
    """

    policy: RefreshPolicy
    hessian: MaintainedHessian
    exact: bool = True
    renewed: bool = False
    error_changed: bool = False
    _share: float = 0.0
    _unusable_sketch: bool = False  # it could not be factored

    def follow(
        self, point: Evaluation, progress: Progress, tools: Tools, info: dict[str, float]
    ) -> bool:
        """Bring the maintained Hessian to a point and factor it; whether that succeeded.

        Parameters
        ----------
        point
            The iterate.
        progress
            How the last steps went; it learns of a rebuild.
        tools
            For phases and random numbers.
        info
            Gets ``rows_updated``, the number of rows that were brought up to date.
        """
        hessian, policy = self.hessian, self.policy
        fresh = hessian.total is None
        factor = hessian.factor
        self.renewed = self.error_changed = False
        if not fresh and policy.keep_factor(progress):
            return True
        rebuild = fresh or policy.always_rebuild or policy.rebuild_pays(progress)
        # A sketch takes the root of D, so that it starts from Gauss-Newton where D has two signs.
        sketch = fresh and policy.plan.source == "sketch" and not self._unusable_sketch
        if sketch:
            self.exact = not bool((point.curvature.diagonal < 0).any())
        elif not self.exact and not fresh:
            # The Hessian was indefinite when it was last tried.
            if rebuild:
                self.exact = policy.always_rebuild or progress.slow_steps >= progress.patience
            else:
                self.exact = policy.always_rebuild or not policy.expensive_factor
        if rebuild:
            progress.note_rebuild()
        move = Move(hessian, policy, point, tools, info, rebuild, sketch)
        skip = not rebuild and not policy.row_update_pays(progress)
        if self.exact and move.to(point.curvature, exact=False, skip_diffuse=skip):
            # A sketch stays wrong by the same amount wherever it follows.
            self.error_changed = rebuild or bool(info["rows_updated"] and not hessian.sketched)
        elif not self._fall_back(move):
            if not sketch:
                return False
            # The exact rank-two part cancels most of the diagonal part: not for a sketch.
            self._unusable_sketch = True
            return self.follow(point, progress, tools, info)
        self.renewed = hessian.factor is not factor
        return True

    def _fall_back(self, move: Move) -> bool:
        """Bring it to what is definite where the Hessian may not be; whether that succeeded."""
        indefinite = None
        self.error_changed = True
        # Beside an expensive factor a Gram matrix costs little, and the definite one pays.
        if self.exact and move.rebuild and not move.sketch and not self.policy.expensive_factor:
            if not move.point.problem.normalised:
                indefinite = self.hessian.parts()
            # Blending is no gain for a normalised f: its slopes are not all small at once.
            elif self._replace_indefinite_rows(move):
                return True
        if not self._gauss_newton(move):
            return False
        if indefinite is not None:
            self._blend(move, indefinite)
        return True

    def _replace_indefinite_rows(self, move: Move) -> bool:
        """Replace the few rows that make a Hessian indefinite; whether that was enough.

        Where the residual takes most of a row's curvature, the row gets its Gauss-Newton entry.
        """
        if not self.policy.by_rows:
            return False
        exact, target = move.point.curvature, move.point.gauss_newton
        low = exact.diagonal < tuning.INDEFINITE_ROW * target.diagonal
        if int(low.sum()) > self.policy.costs.row_limit():
            return False
        self.exact = False
        xp = array_namespace(low)
        mended = Curvature(xp.where(low, target.diagonal, exact.diagonal), target.v, target.h)
        return move.by_rows(mended, low)

    def _gauss_newton(self, move: Move) -> bool:
        """Bring it to the Gauss-Newton matrix or near it; whether that succeeded."""
        self.exact = False
        # The matrix is semidefinite: if it cannot be factored, it is singular, or too many of its
        # rows are out of date.
        for rebuild in (True,) if move.rebuild else (False, True):
            target = move.point.gauss_newton
            if rebuild:
                self._share = 0.0
            elif self._share:
                change = move.point.curvature.diagonal - target.diagonal
                target = Curvature(target.diagonal + self._share * change)
            again = move.with_rebuild(rebuild)
            if again.to(target, exact=True, skip_diffuse=False) or move.regularise():
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
            for share in (*tuning.RESIDUAL_SHARES, 0.0):
                hessian.blend(gauss_newton, indefinite, share)
                if hessian.refactor(noise) or (share == 0.0 and hessian.regularise(noise)):
                    self._share = share
                    return
