"""A Hessian that follows the iterates row by row, and its factor."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from array_api_compat import device

from softres.common.arrays import array_namespace, take
from softres.linalg.factors import CholeskyFactor, cholesky
from softres.linalg.nullspace import filled, null_basis_of, null_within
from softres.matrices import DesignMatrix
from softres.matrices.backends import as_numpy
from softres.problems.curvature import Curvature
from softres.solvers.preconditioned import tuning
from softres.solvers.preconditioned.drift import ratio, share, threshold
from softres.solvers.preconditioned.rank_two import RankTwo

__all__ = ["MaintainedHessian"]


class MaintainedHessian:
    """A^T (diag(D) + v h^T + h v^T) A for a D that keeps up with the iterates where it matters.

    A weighted Gram matrix of all rows costs as much as d / 8 to d / 20 passes over A, and close to
    a solution most of it would repeat the last one. So it is formed once; afterwards only the rows
    whose entry of D has moved most are brought up to date, k of them at a k / n-th of the price,
    and a change common to all rows is a change of scale. Where f is peaked, few rows carry nearly
    all change. (Karmarkar, 1984, updates the normal equations of linear programming so.)

    The rank-two part follows as well (:class:`~softres.solvers.preconditioned.rank_two.RankTwo`).

    Attributes
    ----------
    total
        The matrix that was last factored, shape (d, d).
    factor
        Its Cholesky factor; ``None`` where it was not positive definite.
    curvature
        The curvature in z that it was factored for; ``None`` for a sketch, or with a multiple of
        the identity.
    null
        Orthonormal basis of the Hessian's null space, shape (d, k), where one was found.
    changed
        Whether the matrix has changed, but for its scale, since it was last factored.
    diffuse
        Whether the last change of D was spread over many more rows than were brought up to date.
    updated
        Whether rows were brought up to date when it last moved by rows.
    single
        Whether rows may be brought up to date in float32, as where the matrix was formed in it.
    sketched
        Whether it was formed as a sketch.
    """

    def __init__(self, matrix: DesignMatrix) -> None:
        self.matrix = matrix
        self.total: Any = None
        self.factor: CholeskyFactor | None = None
        self.curvature: Curvature | None = None
        self.null: Any = None
        self.diffuse = False
        self.updated = False
        self.single = False
        self.sketched = False
        self.changed = True
        self._gram: Any = None
        self._scale = 1.0
        self._diagonal: Any = None
        self._kind = Curvature(None)
        self._rank_two = RankTwo(matrix)

    def rebuild(self, target: Curvature, form: Callable[[Any], Any]) -> None:
        """Start anew at a target curvature; ``form`` returns A^T D A for its part row by row."""
        self._diagonal, self._kind = target.weights, target
        self._gram, self._scale = form(self._diagonal), 1.0
        self._rank_two.renew(target)
        self.changed = True

    def follow(
        self, target: Curvature, limit: int, exact: bool = False, skip_diffuse: bool = False
    ) -> int:
        """Move towards a target curvature by bringing at most about ``limit`` rows up to date.

        Parameters
        ----------
        target
            The curvature at the new iterate.
        limit
            Rows that may be brought up to date: those whose entry of D is furthest off, and off
            by more than :data:`~softres.solvers.preconditioned.tuning.ROW_CHANGE`.
        exact
            Renew the rank-two part over all rows in any case.
        skip_diffuse
            Update no row where the change is spread over more rows than ``limit``: little is won
            by a few of many that move together.

        Returns
        -------
        How many rows were.
        """
        xp = array_namespace(target.diagonal)
        scale = ratio(target.diagonal, self._diagonal)
        base = scale * self._diagonal
        gap = target.diagonal - base
        size = xp.abs(gap)
        moved = size > tuning.ROW_CHANGE * xp.abs(base)
        count = int(xp.sum(xp.astype(moved, xp.int64)))
        self.diffuse = False
        if count > limit:
            moved = size > threshold(size, limit)
            self.diffuse = share(size, moved) < tuning.CONCENTRATED
            if skip_diffuse and self.diffuse:
                moved = xp.zeros_like(moved)
        rows = np.flatnonzero(as_numpy(moved))
        self._scale *= scale
        self._diagonal = xp.where(moved, target.diagonal, base) if len(rows) else base
        renew = exact or not self._rank_two.follow(target, moved, rows, self.factor)
        self._add_rows(rows, gap)
        if renew:
            self._rank_two.renew(target)
        # A change of scale alone is no reason to factor anew: the line search makes up for it.
        self.changed = renew or self.updated
        return len(rows)

    def replace(self, target: Curvature, where: Any) -> int:
        """Move to a target whose D differs from the present one only ``where``; return how often.

        Every such row is brought up to date.
        """
        (rows,) = as_numpy(where).nonzero()
        self._add_rows(rows, target.diagonal - self._diagonal)
        self._diagonal = target.diagonal
        self._rank_two.renew(target)
        self.changed = True
        return len(rows)

    def parts(self) -> tuple[Any, Any]:
        """Return A^T diag(D) A and D; no later change reaches them."""
        return self._scale * self._gram, self._diagonal

    def blend(self, one: tuple[Any, Any], other: tuple[Any, Any], share: float) -> None:
        """Make A^T diag(D) A (1 - share) times one plus share times another."""
        (gram, diagonal), (other_gram, other_diagonal) = one, other
        self._gram, self._scale = gram + share * (other_gram - gram), 1.0
        self._diagonal = diagonal + share * (other_diagonal - diagonal)
        self.changed = True

    def refactor(self, noise: float) -> bool:
        """Factor the present matrix; whether it is positive definite beyond ``noise``.

        It is made definite on its null space, where that is known.
        """
        total = self._assemble()
        if self.null is not None:
            total = filled(total, self.null, self.matrix.column_scale)
        factor = cholesky(total, None, noise)
        if factor is None:
            return False
        self._take(total, factor)
        if not self.sketched:
            rank_two = self._rank_two
            self.curvature = self._kind.with_parts(self._diagonal, rank_two.v, rank_two.h)
        self.changed = False
        return True

    def regularise(self, noise: float) -> bool:
        """Factor a matrix that is semidefinite; whether that succeeded.

        With a small multiple of the identity added it can be factored, and the factor tells its
        null vectors. If they are null vectors of A too, they stay known, and the matrix is made
        definite on them. Others, where f has hardly any slope, may not be null at the next point:
        there the multiple of the identity serves, this once.
        """
        total = self._assemble()
        xp = array_namespace(total)
        scale = self.matrix.column_scale
        squares = scale * scale
        largest = float(xp.max(xp.abs(xp.linalg.diagonal(total)) / squares)) or 1.0
        one = xp.eye(total.shape[0], dtype=total.dtype, device=device(total)) * (largest * squares)
        for multiple in tuning.RIDGES:
            ridged = total + multiple * one
            factor = cholesky(ridged, scale, tuning.RIDGED_NOISE * noise)
            if factor is None:
                continue
            if self.null is None:
                found = null_basis_of(factor, multiple) / scale[:, None]
                self.null = null_within(self.matrix, xp.linalg.qr(found)[0])
                if self.null is not None and self.refactor(noise):
                    return True
            self._take(ridged, factor)
            return True
        return False

    def project(self, p: Any) -> Any:
        """Return p without its component in the null space."""
        return p if self.null is None else p - self.null @ (self.null.T @ p)

    def _assemble(self) -> Any:
        """Return the Gram matrix plus the rank-two part."""
        total = self._scale * self._gram
        self._rank_two.add_to(total)
        return total

    def _take(self, total: Any, factor: CholeskyFactor) -> None:
        self.total, self.factor, self.curvature = total, factor, None

    def _add_rows(self, rows: npt.NDArray[np.int64], change: Any) -> None:
        """Add the rows' part of A^T diag(change) A."""
        self.updated = len(rows) > 0
        if self.updated:
            weights = take(change, rows) / self._scale
            self._gram += self.matrix.gram(weights, rows, single=self.single)
