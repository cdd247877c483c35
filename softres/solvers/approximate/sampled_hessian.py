"""A Hessian from sampled rows, and how well it stands for the Hessian at another point."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf, sqrt
from typing import Any

import numpy as np
import numpy.typing as npt

from softres.common.arrays import fits_single
from softres.linalg.factors import cholesky
from softres.matrices.backends import as_numpy
from softres.problems.curvature import Curvature
from softres.problems.evaluation import Evaluation
from softres.sketching import RowForms, RowSample
from softres.sketching.reuse import Vector, largest_change
from softres.solvers.steps.newton import Memory

__all__ = ["SampledHessian", "SampledMemory", "remembered", "rounds_well"]


@dataclass(frozen=True)
class SampledHessian:
    """H~ = A^T (D~ + v h^T + h v^T) A at one point, with D~ within eps B of D, B = A^T |D| A.

    Attributes
    ----------
    matrix
        H~, shape (d, d).
    sample
        The rows that D~ keeps.
    curvature
        D, v and h at the point.
    scores
        Leverage scores of sqrt(|D|) A or upper bounds of them, shape (n,).
    eps
        The error that rows were drawn for.
    norms
        Upper bounds of the norms of A^T v and A^T h in B^-1.
    """

    matrix: Any
    sample: RowSample
    curvature: Curvature
    scores: Vector
    eps: float
    norms: tuple[float, float]

    @classmethod
    def at(
        cls, point: Evaluation, gram: Any, sample: RowSample, scores: Vector, eps: float
    ) -> SampledHessian:
        """Return H~ at a point from A^T D~ A, which is overwritten."""
        pair = point.curvature.rank_two(point.problem.matrix)
        curvature = replace(point.curvature, pair=pair)
        norms = (0.0, 0.0)
        if pair is not None:
            # A^T D~ A <= (1 + eps) B, so that B^-1 <= (1 + eps) (A^T D~ A)^-1.
            factor = cholesky(gram)
            v, h = (sqrt((1.0 + eps) * float(y @ factor.solve(y))) if factor else inf for y in pair)
            norms = (v, h)
        H = curvature.hessian(point.problem.matrix, gram)
        return cls(H, sample, curvature, scores, eps, norms)

    def error(self, new: Curvature) -> float:
        """Return a bound on the spectral error of H~ as the Hessian at another point.

        The diagonal part has moved by at most eta B, see :func:`largest_change`. The norm of
        A^T y in B^-1 is at most that of y / sqrt(|D|), so that the rank-two part has moved by at
        most rho B with

            rho = 2 (|dv| |A^T h'| + |A^T v| |dh|),   |A^T h'| <= |A^T h| + |dh|.

        In terms of A^T |D'| A >= (1 - eta) B the error is (eps + eta + rho) / (1 - eta). Finding
        it takes no pass over A.
        """
        old, (v, h) = self.curvature, self.norms
        before, now = as_numpy(old.diagonal), as_numpy(new.diagonal)
        eta = largest_change(now, before, self.scores, self.matrix.shape[0])
        if not eta < 1.0:
            return inf
        moved = self.eps + eta
        if old.v is not None:
            size = np.abs(before)

            def change(y: Any, was: Any) -> float:
                dy = as_numpy(y - was)
                return sqrt(float(dy @ (dy / size))) if size.all() else inf

            dv, dh = change(new.v, old.v), change(new.h, old.h)
            moved += 2.0 * (dv * (h + dh) + v * dh)
        return moved / (1.0 - eta)


def rounds_well(W: npt.NDArray[np.float64], sizes: npt.NDArray[np.float64], eps0: float) -> bool:
    """Whether the error of a Gram matrix in single precision is far below eps0, spectrally.

    With its diagonal scaled to one the matrix is off by some units of rounding an entry, at
    random: about sqrt(d) of them in norm, and that over the least eigenvalue spectrally. Eight
    units are allowed for, and a fiftieth of eps0, which leaves room for the sketch's own error.

    Parameters
    ----------
    W
        The whitening from a sketch: the Gram matrix is near (W W^T)^-1.
    sizes
        Norms of A's columns.
    """
    d, rank = W.shape
    if rank < d:
        return False
    R = np.linalg.inv(W)
    factor = cholesky(R.T @ R)
    if factor is None or not fits_single(sizes, factor.scale):
        return False
    error = 8.0 * 2.0**-24 * sqrt(d)
    return error <= eps0 / 50.0 * factor.smallest_eigenvalue()


@dataclass(frozen=True)
class SampledMemory(Memory):
    """What the safeguarded Algorithm 1 carries from step to step.

    Attributes
    ----------
    forms
        The last leverage scores that were computed, with their D; ``None`` before the first.
    single
        Whether a Gram matrix is conditioned well enough for single precision, by the sketch.
    held
        The last sampled Hessian, where it serves at the next point too.
    """

    forms: RowForms | None = None
    single: bool = False
    held: SampledHessian | None = None


def remembered(memory: Any) -> SampledMemory:
    """Return what an earlier step has left, or nothing yet."""
    return memory if isinstance(memory, SampledMemory) else SampledMemory()
