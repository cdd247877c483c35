"""Doing without a factor: columns scaled to equal curvature."""

from __future__ import annotations

from math import sqrt
from typing import Any

import numpy as np

from softres.common.arrays import array_namespace, take
from softres.matrices import DenseNumpy, DenseTorch
from softres.problems.evaluation import Evaluation
from softres.solvers.preconditioned import tuning

__all__ = ["ColumnScaling"]


class ColumnScaling:
    """The diagonal preconditioner diag(A^T D A), with D the Gauss-Newton diagonal.

    From a sample of the rows: it is a preconditioner, and need not be exact.
    """

    def __init__(self, scale: Any) -> None:
        self.scale = scale

    @classmethod
    def of(cls, point: Evaluation, rng: np.random.Generator) -> ColumnScaling:
        """Return the scaling at a point."""
        matrix = point.problem.matrix
        n = matrix.shape[0]
        weights = point.gauss_newton.diagonal
        xp = array_namespace(weights)
        if not matrix.is_sparse and n > tuning.SAMPLE_ROWS:
            size = min(tuning.SAMPLE_ROWS, int(tuning.SAMPLE_SHARE * n))
            index = np.sort(rng.choice(n, size, replace=False))
            part = matrix.rows(index)
            assert isinstance(part, DenseNumpy | DenseTorch)
            chosen = part.array if isinstance(part, DenseNumpy) else part.tensor
            squares = chosen * chosen
            curvature = (take(weights, index) @ squares) * (n / size)
            reach = xp.sum(squares, axis=0)
        else:
            reach = matrix.column_scale**2
            curvature = float(xp.mean(weights)) * reach
        # Over the columns' own size: a column on a small scale is not lifted for that.
        seen = reach > 0
        largest = float(xp.max(curvature / xp.where(seen, reach, xp.ones_like(reach))))
        lift = tuning.LEAST_CURVATURE
        missed = xp.full_like(reach, lift * float(xp.max(curvature)) or 1.0)
        least = lift * largest * reach
        least = xp.where(least > 0, least, xp.where(seen, reach, missed))
        return cls(xp.where(curvature > least, curvature, least))

    def solve(self, y: Any) -> Any:
        """Return M^-1 y for y of shape (d,)."""
        return y / self.scale

    def norm(self, x: Any) -> float:
        """Return the norm of x, shape (d,), in M."""
        return sqrt(float(x @ (self.scale * x)))
