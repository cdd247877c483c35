"""The rank-two part of a Hessian that follows the iterates."""

from __future__ import annotations

from math import sqrt
from typing import Any

import numpy as np
import numpy.typing as npt

from softres.common.arrays import array_namespace, take
from softres.linalg.factors import CholeskyFactor
from softres.matrices import DesignMatrix
from softres.matrices.backends import as_numpy
from softres.problems.curvature import Curvature, add_rank_two
from softres.solvers.preconditioned import tuning
from softres.solvers.preconditioned.drift import ratio, relative

__all__ = ["RankTwo"]


class RankTwo:
    """A^T (v h^T + h v^T) A, as the two vectors A^T v and A^T h; zero for a plain problem.

    They are renewed over all rows, by two passes in one reading of A, where their age could
    matter, and over the moved rows otherwise.

    Attributes
    ----------
    v, h
        The two vectors in z that it stands for, shape (n,).
    """

    def __init__(self, matrix: DesignMatrix) -> None:
        self._matrix = matrix
        self.v: Any = None
        self.h: Any = None
        self._left: Any = None  # A^T v
        self._right: Any = None  # A^T h
        self._factor: CholeskyFactor | None = None
        self._reach = 0.0

    def add_to(self, total: Any) -> None:
        """Add it to a matrix of shape (d, d), in place."""
        if self._left is not None:
            add_rank_two(total, self._left, self._right)

    def renew(self, target: Curvature) -> None:
        """Form it over all rows."""
        if target.v is not None and target.v is self.v:
            # The Hessian and the Gauss-Newton matrix of a point share v.
            self._right = self._matrix.rmatmul(target.h)
        else:
            pair = target.rank_two(self._matrix)
            self._left, self._right = (None, None) if pair is None else pair
        self.v, self.h = target.v, target.h

    def follow(
        self,
        target: Curvature,
        moved: Any,
        rows: npt.NDArray[np.int64],
        factor: CholeskyFactor | None,
    ) -> bool:
        """Bring it up to date in a few rows; whether that will do. Where not, nothing changes.

        Parameters
        ----------
        target
            The curvature at the new iterate.
        moved, rows
            Which rows: a mask of shape (n,), and their numbers on the host.
        factor
            Of the whole matrix, to judge by; ``None`` where there is none.
        """
        if target.v is None or target.h is None:
            return True
        if factor is None:
            return False
        xp = array_namespace(target.v)
        growth = ratio(target.v, self.v), ratio(target.h, self.h)
        old_v, old_h = growth[0] * self.v, growth[1] * self.h
        v, h = xp.where(moved, target.v, old_v), xp.where(moved, target.h, old_h)
        if self._stale(target, v, h, factor):
            return False
        self._left, self._right = growth[0] * self._left, growth[1] * self._right
        if len(rows):
            changes = [as_numpy(take(change, rows)) for change in (v - old_v, h - old_h)]
            both = self._matrix.compress(np.stack(changes), rows)
            self._left, self._right = self._left + both[0], self._right + both[1]
            self._matrix.counter.add(passes=2 * len(rows) / self._matrix.shape[0])
        self.v, self.h = v, h
        return True

    def _stale(self, target: Curvature, v: Any, h: Any, factor: CholeskyFactor) -> bool:
        """Whether a rank-two part of v and h could be off by more than the factor bears.

        |(v' - v) h^T| in the norm of the factored matrix M is about the relative change of v times
        |A^T v| |A^T h| in the norm of M^-1. Where f is peaked, the rank-two part cancels most of
        the diagonal part, these norms are large, and nothing stale will do.
        """
        if factor is not self._factor:  # the norms change with it; between two, hardly
            self._factor = factor
            left, right = self._left, self._right
            self._reach = sqrt(
                max(0.0, float(left @ factor.solve(left)))
                * max(0.0, float(right @ factor.solve(right)))
            )
        return (relative(target.v, v) + relative(target.h, h)) * self._reach > tuning.STALE
