"""How far a sampled A^T D A is off, and what a step with it is worth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from softres.data.instance import Instance
from softres.problems.evaluation import Evaluation

__all__ = ["Errors", "instance_arrays"]

Matrix = npt.NDArray[np.float64]

#: Entries of a dense A up to which it is kept with a counterexample; a larger one is made again.
KEPT_ENTRIES = 1_000_000


@dataclass(frozen=True)
class Errors:
    """What a sampled A^T D A is compared with, at one point.

    Attributes
    ----------
    point
        The point; its Hessian is positive definite on the row space of A.
    diagonal
        D, shape (n,), positive.
    exact
        A^T D A, shape (d, d).
    whiten, root, hessian
        Bases with whiten^T (A^T D A) whiten = I and root^T H root = I, shape (d, rank); and H.
    """

    point: Evaluation
    diagonal: npt.NDArray[np.float64]
    exact: Matrix
    whiten: Matrix
    root: Matrix
    hessian: Matrix

    @classmethod
    def at(cls, point: Evaluation) -> Errors:
        """Return them at x*, with the diagonal of the Gauss-Newton matrix: it is positive."""
        D = np.asarray(point.gauss_newton.diagonal)
        exact = np.asarray(point.problem.matrix.gram(D))
        hessian = np.asarray(point.gauss_newton.hessian(point.problem.matrix, exact.copy()))
        return cls(point, D, exact, _whitening(exact), _whitening(hessian), hessian)

    @property
    def left(self) -> float:
        """The least eigenvalue of H relative to A^T D A: what the rank-two part leaves of it."""
        return float(np.linalg.eigvalsh(self.whiten.T @ self.hessian @ self.whiten)[0])

    def spectral(self, gram: Matrix) -> float:
        """Return the least eps with (1 - eps) A^T D A <= gram <= (1 + eps) A^T D A."""
        off = self.whiten.T @ (gram - self.exact) @ self.whiten
        return float(np.abs(np.linalg.eigvalsh(off)).max())

    def factors(self, gram: Matrix) -> tuple[float, float]:
        """Return |I - H~^-1 H| in the H-norm and in l2, on the row space of A.

        A step from near x* contracts the error by this much at worst, over all directions. H~ has
        the sampled diagonal part and the exact rank-two part. Infinite where H~ is not definite.
        """
        sampled = self.point.gauss_newton.hessian(self.point.problem.matrix, gram.copy())
        near = self.root.T @ np.asarray(sampled) @ self.root
        values, vectors = np.linalg.eigh(near)
        if values[0] <= 0:
            return float("inf"), float("inf")
        change = np.eye(len(values)) - (vectors / values) @ vectors.T
        # In the coordinates y = root^+ x, l2 is the norm of root y.
        left = np.linalg.qr(self.root, mode="r")
        l2 = np.linalg.norm(left @ change @ np.linalg.inv(left), 2)
        return float(np.abs(1.0 - 1.0 / values).max()), float(l2)


def _whitening(gram: Matrix) -> Matrix:
    """Return W with W^T gram W = I; where A lacks rank, as real data may, on its row space."""
    values, vectors = np.linalg.eigh(gram)
    there = values > len(values) * np.finfo(float).eps * values[-1]
    return np.asarray(vectors[:, there] / np.sqrt(values[there]))


def instance_arrays(instance: Instance, point: Evaluation) -> dict[str, Any]:
    """Return what a counterexample on an instance is made of: A where it is small, b, w^2, x*."""
    arrays = {"b": instance.b, "w2": np.asarray(point.problem.w2), "x": np.asarray(point.x)}
    A = instance.A
    return arrays | ({"A": A} if isinstance(A, np.ndarray) and A.size <= KEPT_ENTRIES else {})
