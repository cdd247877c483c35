"""The curvature of a loss in z = A x: a part row by row plus a symmetric matrix of rank two."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from softres.common.arrays import array_namespace
from softres.common.reading import scalar
from softres.matrices.backends import as_numpy

__all__ = ["BlockCurvature", "Curvature", "add_rank_two"]


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

    def with_parts(self, weights: Any, v: Any | None, h: Any | None) -> Curvature:
        """Return a curvature of the same kind with other parts."""
        return Curvature(weights, v, h)

    @property
    def weights(self) -> Any:
        """The part row by row, as :meth:`softres.matrices.DesignMatrix.gram` takes it."""
        return self.diagonal

    @property
    def magnitude(self) -> Any:
        """The sums of the absolute values in each row of the part row by row, shape (n,)."""
        return array_namespace(self.diagonal).abs(self.diagonal)

    def on_host(self) -> Curvature:
        """Return the part row by row on the host, in float64."""
        return Curvature(as_numpy(self.diagonal).astype(np.float64, copy=False))

    def apply_rows(self, y: Any) -> Any:
        """Return the product of the part row by row with y, shape (n,) or (n, k)."""
        return self.diagonal * y if y.ndim == 1 else self.diagonal[:, None] * y

    def whiten(self, sides: list[Any], other: Curvature | None, share: float) -> Any | None:
        """Return Y E^-1/2 or one as good, for E the part row by row less a share of another's.

        Parameters
        ----------
        sides
            The rows of Y, each of shape (n,).
        other
            Of the same kind; ``None`` for 0.

        Returns
        -------
        Of shape (k, n), with the products of its rows those in E^-1; ``None`` where E is not
        positive definite.
        """
        diagonal = self.diagonal if other is None else self.diagonal - share * other.diagonal
        if not float(diagonal.min()) > 0:
            return None
        xp = array_namespace(diagonal)
        return xp.stack(sides) / xp.sqrt(diagonal) if sides else diagonal[:0]

    def apply(self, y: Any) -> Any:
        """Return B y for y of shape (n,)."""
        product = self.apply_rows(y)
        if self.v is not None and self.h is not None:
            product = product + self.v * (self.h @ y) + self.h * (self.v @ y)
        return product

    def quadratic(self, y: Any) -> float:
        """Return y^T B y for y of shape (n,)."""
        return float(self.form(y))

    def form(self, y: Any) -> Any:
        """Return y^T B y for y of shape (n,), from a device as it is."""
        form = scalar(self._form_rows(y))
        if self.v is not None and self.h is not None:
            form = form + 2.0 * scalar(self.v @ y) * scalar(self.h @ y)
        return form

    def _form_rows(self, y: Any) -> Any:
        return self.diagonal @ (y * y)

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
            A^T D A for the part D row by row, or an approximation of it; formed exactly when left
            out. It is overwritten.
        """
        total = matrix.gram(self.weights) if gram is None else gram
        pair = self.rank_two(matrix)
        if pair is not None:
            add_rank_two(total, *pair)
        return total


@dataclass(frozen=True)
class BlockCurvature(Curvature):
    """The same for a model in which each row has L entries of z, one for each layer.

    Where the others have a diagonal, B has n blocks of L x L: row i of the data mixes its own
    entries only. Vectors in z have shape (n L,), layer by layer.

    Attributes
    ----------
    diagonal
        The diagonals of the blocks, shape (n L,).
    blocks
        The blocks, shape (L, L, n), symmetric in the first two.
    """

    blocks: Any = None

    @classmethod
    def of(cls, blocks: Any, v: Any, h: Any, pair: tuple[Any, Any] | None = None) -> BlockCurvature:
        """Return the curvature with these blocks."""
        xp = array_namespace(blocks)
        diagonal = xp.concat([blocks[layer, layer] for layer in range(blocks.shape[0])])
        return cls(diagonal, v, h, pair, blocks)

    def with_parts(self, weights: Any, v: Any | None, h: Any | None) -> BlockCurvature:
        """Return a curvature of the same kind with other parts."""
        return BlockCurvature.of(weights, v, h)

    @property
    def weights(self) -> Any:
        """The blocks, as :meth:`softres.matrices.layered.LayeredMatrix.gram` takes them."""
        return self.blocks

    @property
    def magnitude(self) -> Any:
        """The sums of the absolute values in each row of the blocks, shape (n L,)."""
        xp = array_namespace(self.blocks)
        return xp.reshape(xp.sum(xp.abs(self.blocks), axis=1), (-1,))

    def on_host(self) -> BlockCurvature:
        """Return the part row by row on the host, in float64."""
        diagonal, blocks = (
            as_numpy(part).astype(np.float64, copy=False) for part in (self.diagonal, self.blocks)
        )
        return BlockCurvature(diagonal, blocks=blocks)

    def apply_rows(self, y: Any) -> Any:
        """Return the product of the blocks with y, shape (n L,) or (n L, k)."""
        xp, depth = array_namespace(self.blocks), self.blocks.shape[0]
        parts = xp.reshape(y, (depth, self.blocks.shape[2], -1))
        mixed = xp.zeros_like(parts)
        for layer in range(depth):
            mixed += self.blocks[:, layer, :, None] * parts[layer]
        return xp.reshape(mixed, tuple(y.shape))

    def whiten(self, sides: list[Any], other: Curvature | None, share: float) -> Any | None:
        """Return Y C^-T for the Cholesky factors C of the blocks; on the host."""
        blocks = as_numpy(self.blocks)
        if isinstance(other, BlockCurvature):
            blocks = blocks - share * as_numpy(other.blocks)
        depth, _, n = blocks.shape
        try:
            factors = np.linalg.cholesky(blocks.transpose(2, 0, 1))
        except np.linalg.LinAlgError:
            return None
        if not sides:
            return blocks[0, 0, :0]
        given = np.stack([as_numpy(side).reshape(depth, n) for side in sides])
        return (
            np.linalg.solve(factors, given.transpose(2, 1, 0))
            .transpose(2, 1, 0)
            .reshape(len(sides), -1)
        )

    def _form_rows(self, y: Any) -> Any:
        return y @ self.apply_rows(y)
