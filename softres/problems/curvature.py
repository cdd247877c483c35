"""The curvature of a loss in z = A x: a diagonal plus a symmetric matrix of rank two."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from softres.common.arrays import array_namespace

__all__ = ["Curvature", "add_rank_two"]


def add_rank_two(total: Any, left: Any, right: Any) -> None:
    """Add left right^T + right left^T to a matrix of shape (d, d), in place."""
    outer = left[:, None] * right[None, :]
    total += outer
    total += outer.T


@dataclass(frozen=True)
class Curvature:
    """The n x n matrix B = diag(D) + v h^T + h v^T, so that the Hessian in x is A^T B A.

    Lemma 5.4 calls B "low rank plus diagonal". Sharper: v h^T + h v^T has rank two, with one
    positive and one negative eigenvalue, <v, h> + |v||h| and <v, h> - |v||h|.

    Attributes
    ----------
    diagonal
        D, shape (n,); regularisation included.
    v, h
        The two vectors, shape (n,); ``None`` for problems that are not normalised, where B is
        diagonal.
    pair
        A^T v and A^T h, each of shape (d,), where they are known already.
    """

    diagonal: Any
    v: Any | None = None
    h: Any | None = None
    pair: tuple[Any, Any] | None = None

    def apply(self, y: Any) -> Any:
        """Return B y for y of shape (n,)."""
        product = self.diagonal * y
        if self.v is not None and self.h is not None:
            product = product + self.v * (self.h @ y) + self.h * (self.v @ y)
        return product

    def quadratic(self, y: Any) -> float:
        """Return y^T B y for y of shape (n,)."""
        form = float(self.diagonal @ (y * y))
        if self.v is not None and self.h is not None:
            form += 2.0 * float(self.v @ y) * float(self.h @ y)
        return form

    def rank_two(self, matrix: Any) -> tuple[Any, Any] | None:
        """Return A^T v and A^T h from one pass over A with two right-hand sides, each (d,)."""
        if self.v is None or self.h is None or self.pair is not None:
            return self.pair
        xp = array_namespace(self.v)
        left, right = matrix.rmatmul(xp.stack([self.v, self.h]).T).T
        return left, right

    def hessian(self, matrix: Any, gram: Any | None = None) -> Any:
        """Return A^T B A, shape (d, d).

        Parameters
        ----------
        matrix
            A, a :class:`softres.matrices.DesignMatrix`.
        gram
            A^T diag(D) A or an approximation of it; formed exactly when left out. It is
            overwritten.
        """
        total = matrix.gram(self.diagonal) if gram is None else gram
        pair = self.rank_two(matrix)
        if pair is not None:
            add_rank_two(total, *pair)
        return total
