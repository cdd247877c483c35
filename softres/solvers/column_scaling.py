"""Doing without a factor: columns scaled to equal curvature, and what the steps say about it."""

from __future__ import annotations

from math import sqrt
from typing import Any

import numpy as np

from softres.arrays import array_namespace
from softres.backends import as_numpy
from softres.evaluation import Evaluation
from softres.matrices import DenseNumpy, DenseTorch

__all__ = ["ColumnScaling"]

#: Rows that the columns' curvature is estimated from.
SAMPLE = 2048


class ColumnScaling:
    """The diagonal preconditioner diag(A^T D A), with D the Gauss-Newton diagonal.

    From a sample of the rows: it is a preconditioner, and need not be exact.
    """

    def __init__(self, scale: Any) -> None:
        self.scale = scale
        self._least = float("inf")
        self._most = 0.0

    @classmethod
    def of(cls, point: Evaluation, rng: np.random.Generator) -> ColumnScaling:
        """Return the scaling at a point."""
        matrix = point.problem.matrix
        n = matrix.shape[0]
        weights = point.gauss_newton.diagonal
        xp = array_namespace(weights)
        if not matrix.is_sparse and n > 2 * SAMPLE:
            index = np.sort(rng.choice(n, SAMPLE, replace=False))
            part = matrix.rows(index)
            at = part.asarray(index).long() if hasattr(weights, "detach") else index
            assert isinstance(part, DenseNumpy | DenseTorch)
            scaled = part.array if isinstance(part, DenseNumpy) else part.tensor
            curvature = (weights[at] @ (scaled * scaled)) * (n / SAMPLE)
        else:
            curvature = float(xp.mean(weights)) * matrix.column_scale**2
        floor = 1e-8 * float(xp.max(curvature))
        return cls(xp.where(curvature > floor, curvature, xp.full_like(curvature, floor or 1.0)))

    def solve(self, y: Any) -> Any:
        """Return M^-1 y for y of shape (d,)."""
        return y / self.scale

    def norm(self, x: Any) -> float:
        """Return the norm of x, shape (d,), in M."""
        return sqrt(float(x @ (self.scale * x)))

    def observe(self, s: Any, y: Any) -> None:
        """Note the curvature along a step s that changed the gradient by y."""
        quotient = float(as_numpy(s @ y)) / max(self.norm(s) ** 2, 1e-300)
        self._least, self._most = min(self._least, quotient), max(self._most, quotient)

    @property
    def rate(self) -> float:
        """Contraction of conjugate gradients, from the spread of the curvatures seen."""
        if not 0 < self._least < self._most:
            return 0.0
        root = sqrt(self._most / self._least)
        return (root - 1.0) / (root + 1.0)
