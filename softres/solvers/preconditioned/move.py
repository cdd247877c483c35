"""A move of the maintained Hessian to another curvature, and its factor there."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from softres.problems.curvature import Curvature
from softres.problems.evaluation import Evaluation
from softres.solvers.base import Tools
from softres.solvers.preconditioned.gram_factor import form_gram, form_sketch
from softres.solvers.preconditioned.maintained import MaintainedHessian
from softres.solvers.preconditioned.refresh import RefreshPolicy

__all__ = ["Move"]


@dataclass(frozen=True)
class Move:
    """How the maintained Hessian gets to a point.

    Every method returns whether what it got to is positive definite, and factored.

    Attributes
    ----------
    hessian
        What moves.
    policy
        Says how many rows may be brought up to date, and how large a sketch is.
    point
        Where to.
    tools
        For phases and random numbers.
    info
        Gets ``rows_updated``, the number of rows that were brought up to date.
    rebuild
        Form it anew rather than bring rows up to date.
    sketch
        Anew, as a sketch where D is of one sign.
    """

    hessian: MaintainedHessian
    policy: RefreshPolicy
    point: Evaluation
    tools: Tools
    info: dict[str, float]
    rebuild: bool
    sketch: bool = False

    @property
    def noise(self) -> float:
        """The rounding of a Hessian, relative to a unit diagonal."""
        return self.point.problem.gram_noise

    def with_rebuild(self, rebuild: bool) -> Move:
        """Return the same move, by a rebuild or by rows."""
        return replace(self, rebuild=rebuild)

    def to(self, target: Curvature, *, exact: bool, skip_diffuse: bool) -> bool:
        """Move to a curvature; see :meth:`MaintainedHessian.follow` for the flags."""
        with self.tools.meter.phase("hessian"):
            if self.rebuild:
                self.hessian.rebuild(target, self._form)
            else:
                limit = self.policy.costs.row_limit()
                rows = self.hessian.follow(target, limit, exact=exact, skip_diffuse=skip_diffuse)
                self._count(rows)
        return self._factor()

    def by_rows(self, target: Curvature, where: Any) -> bool:
        """Move to a curvature that differs from the present one only ``where``."""
        with self.tools.meter.phase("hessian"):
            self._count(self.hessian.replace(target, where))
        return self._factor()

    def regularise(self) -> bool:
        """Stay, and make definite what is semidefinite."""
        with self.tools.meter.phase("factor"):
            return self.hessian.regularise(self.noise)

    def _count(self, rows: int) -> None:
        self.info["rows_updated"] = self.info.get("rows_updated", 0.0) + rows

    def _factor(self) -> bool:
        if not self.hessian.changed:
            return True
        with self.tools.meter.phase("factor"):
            return self.hessian.refactor(self.noise)

    def _form(self, diagonal: Any) -> Any:
        """Return A^T diag(D) A, or a sketch of it."""
        hessian, policy, matrix = self.hessian, self.policy, self.point.problem.matrix
        hessian.sketched = self.sketch and bool((diagonal >= 0).all())
        hessian.single = False
        if hessian.sketched:
            return form_sketch(matrix, diagonal, policy.plan.oversampling, self.tools.rng)
        first, single = hessian.total is None, not policy.always_rebuild
        gram, hessian.single = form_gram(matrix, diagonal, single, heavy=first)
        return gram
