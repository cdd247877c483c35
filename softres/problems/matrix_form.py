"""Regression whose unknown is a matrix: one X for many targets over two sets of rows.

Definition 1.2 with the tensor trick: row j of Z = A1 X A2^T (n1 x n2) is what query j says to all
keys, and each row is normalised by itself, f_j = u(z_j) / alpha_j, alpha_j = <u(z_j), 1>:

    L(X) = 1/2 sum over j of |f_j - b_j|^2 + 1/2 |W * Z|^2.

With x = vec(X) row by row the matrix of the problem is A1 (x) A2, which is never formed. The rows
share nothing but X, so that section by section the formulas are those of one target: with q_j =
(c_j - <f_j, c_j>) / alpha_j and s_j = |f_j|^2 + 2 <f_j, c_j>,

    gradient in X      A1^T (v * q + W^2 * Z) A2
    curvature          n1 blocks diag(D_j) + v_j h_j^T + h_j v_j^T, n2 x n2 each,
                       D_j = v_j^2 / alpha_j^2 + q_j * e_j + w_j^2
                       h_j = v_j * (b_j - 2 f_j + s_j / 2) / alpha_j^2

and the Gauss-Newton part has v_j^2 / alpha_j^2 + w_j^2 and v_j * (|f_j|^2 / 2 - f_j) / alpha_j^2.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from softres.common.arrays import array_namespace
from softres.common.checks import choice, host_values, number
from softres.common.errors import InputError
from softres.common.reading import scalar
from softres.matrices.backends import as_numpy
from softres.matrices.convert import given_array
from softres.matrices.kronecker import KroneckerMatrix, kronecker_matrix
from softres.problems.curvature import Curvature
from softres.problems.evaluation import Evaluation
from softres.problems.links import Exp, NormalisableLink, SoftResidual
from softres.problems.parts import Model, Slopes
from softres.problems.problem import Problem

__all__ = ["KroneckerRegression", "MatrixRegression", "RowCurvature"]

#: The links by the names of the problems that they belong to.
LINKS: dict[str, NormalisableLink] = {"softmax": Exp(), "softres": SoftResidual()}


@dataclass(frozen=True)
class RowCurvature(Curvature):
    """n1 blocks on the diagonal, each diag(D_j) + v_j h_j^T + h_j v_j^T.

    It has no rank-two part beside the blocks: ``v`` and ``h`` are ``None``.

    Attributes
    ----------
    left, right
        v_j and h_j as rows, shape (n1, n2).
    """

    left: Any = None
    right: Any = None

    def with_parts(self, weights: Any, v: Any | None, h: Any | None) -> RowCurvature:
        """Return a curvature of the same kind with other parts."""
        xp = array_namespace(weights)
        return RowCurvature(xp.reshape(weights[0], (-1,)), left=weights[1], right=weights[2])

    @property
    def weights(self) -> Any:
        """D, v and h, as :meth:`softres.matrices.kronecker.KroneckerMatrix.gram` takes them."""
        xp = array_namespace(self.diagonal)
        return xp.stack([xp.reshape(self.diagonal, self.left.shape), self.left, self.right])

    @property
    def magnitude(self) -> Any:
        """Sums of the absolute values of the terms in each row of the blocks, shape (n1 n2,)."""
        xp = array_namespace(self.diagonal)
        v, h = xp.abs(self.left), xp.abs(self.right)
        mixed = v * xp.sum(h, axis=1)[:, None] + h * xp.sum(v, axis=1)[:, None]
        return xp.abs(self.diagonal) + xp.reshape(mixed, (-1,))

    def on_host(self) -> RowCurvature:
        """Return the same on the host, in float64."""
        D, v, h = (
            as_numpy(part).astype(np.float64, copy=False)
            for part in (self.diagonal, self.left, self.right)
        )
        return RowCurvature(D, left=v, right=h)

    def apply_rows(self, y: Any) -> Any:
        """Return the product of the blocks with y, shape (n1 n2,) or (n1 n2, k)."""
        xp = array_namespace(self.diagonal)
        Y = xp.reshape(y, (*self.left.shape, -1))
        v, h = self.left[:, :, None], self.right[:, :, None]
        mixed = v * xp.sum(h * Y, axis=1)[:, None] + h * xp.sum(v * Y, axis=1)[:, None]
        diagonal = xp.reshape(self.diagonal, (*self.left.shape, 1))
        return xp.reshape(diagonal * Y + mixed, tuple(y.shape))

    def whiten(self, sides: list[Any], other: Curvature | None, share: float) -> Any | None:
        """Return no rows where the difference is positive definite in a way that is seen.

        Seen it is where the diagonal of the difference is positive: then the signs of block j are
        those of S + U_j^T E_j^-1 U_j with the v and h of both for U_j and S made of exchanges.
        """
        parts, signs = [self], [1.0]
        if isinstance(other, RowCurvature) and share != 0.0:
            parts, signs = [self, other], [1.0, -share]
        hosts = [part.on_host() for part in parts]
        shape = hosts[0].left.shape
        D = sum(sign * host.diagonal for sign, host in zip(signs, hosts, strict=True))
        if sides or not float(D.min()) > 0:
            return None
        U = np.stack([side for host in hosts for side in (host.left, host.right)], axis=1)
        G = (U / D.reshape(shape)[:, None]) @ U.transpose(0, 2, 1)
        exchange = np.array([[0.0, 1.0], [1.0, 0.0]])
        S = np.kron(np.diag(1.0 / np.asarray(signs)), exchange)
        negative = (np.linalg.eigvalsh(G + S) < 0).sum(axis=1)
        return D[:0] if (negative == len(signs)).all() else None

    def _quadratic_rows(self, y: Any) -> float:
        return float(y @ self.apply_rows(y))


class KroneckerRegression(Problem):
    """Each row of Z = A1 X A2^T normalised by itself: attention of all queries by one X.

    Parameters
    ----------
    A, b, w
        A1 (x) A2, a :class:`~softres.matrices.kronecker.KroneckerMatrix`;
        targets and weights of the rows of Z one after the other, shape (n1 n2,).
    normalise
        What is normalised: ``"rows"``.
    link
        u: ``"softmax"``, exp, or ``"softres"``, exp(z) + z.
    """

    name = "matrix"
    order = 5
    normalised = True
    blocks = True
    factored = True

    matrix: KroneckerMatrix

    def __init__(
        self, A: Any, b: Any, w: Any = None, *, normalise: str = "rows", link: str = "softmax",
        beta: float | None = None,
    ) -> None:  # fmt: skip
        choice("normalise", normalise, ("rows",))
        choice("link", link, LINKS)
        if not isinstance(A, KroneckerMatrix):
            raise InputError(
                "problem=matrix: A must have two factors, as softres.MatrixRegression(A1, A2, B) "
                "and data=attention_smollm2 with data.queries above 0 make it"
            )
        if link == "softres" and beta is not None:
            beta = number("beta", beta, "a positive number, for u takes both signs")
        elif beta is None:
            # A millionth of alpha_j at X = 0, as for one target; exp is positive.
            beta = 1e-6 * A.blocks[1] if link == "softres" else 0.0
        super().__init__(A, b, w, link=LINKS[link], beta=beta)

    @classmethod
    def smallest(cls, **options: Any) -> Problem:
        """Return a problem of one query and two keys."""
        return cls(kronecker_matrix(np.eye(1), np.eye(2, 1)), np.full(2, 0.5), **options)

    def sum_of_shares(self) -> float:
        """Return the largest sum of a row of B."""
        return float(self.by_rows(self.b).sum(axis=1).max())

    def by_rows(self, vector: Any) -> Any:
        """Return a vector of shape (n1 n2,) as n1 x n2."""
        return array_namespace(vector).reshape(vector, self.matrix.blocks)

    def at(self, x: Any, z: Any | None = None) -> Evaluation:
        """Return the evaluation at x, shape (d1 d2,); ``z`` is A x where it is known."""
        return _RowsEvaluation(self, x, z)


class MatrixRegression(KroneckerRegression):
    """The same from its factors: 1/2 |f(A1 X A2^T) - B|^2 + 1/2 |W * (A1 X A2^T)|^2.

    Parameters
    ----------
    A1, A2
        n1 x d1 and n2 x d2: arrays or tensors, dense.
    B, w
        Targets, n1 x n2, the rows shares; weights, n1 x n2 or one number, ``None`` for none.
    normalise, link, beta
        As for :class:`KroneckerRegression`.

    Examples
    --------
    >>> import numpy as np, softres
    >>> rng = np.random.default_rng(0)
    >>> Q, K = rng.standard_normal((30, 4)), rng.standard_normal((20, 4))
    >>> E = np.exp(Q @ K.T / 8)
    >>> problem = softres.MatrixRegression(Q, K, E / E.sum(axis=1, keepdims=True))
    >>> X = problem.unpacked(softres.solve(problem, eps=1e-12).x)
    >>> bool(np.allclose(X, np.eye(4) / 8))
    True
    """

    def __init__(
        self, A1: Any, A2: Any, B: Any, w: Any = None, *, normalise: str = "rows",
        link: str = "softmax", beta: float | None = None,
    ) -> None:  # fmt: skip
        matrix = kronecker_matrix(A1, A2)
        one = w is None or isinstance(w, float | int)
        b, w = _flat(matrix, "B", B), w if one else _flat(matrix, "w", w)
        super().__init__(matrix, b, w, normalise=normalise, link=link, beta=beta)

    def unpacked(self, x: Any) -> Any:
        """Return a vector x, shape (d1 d2,), as X, d1 x d2."""
        return array_namespace(x).reshape(x, (self.matrix.A1.shape[1], -1))


def _flat(matrix: KroneckerMatrix, name: str, value: Any) -> Any:
    array = given_array(matrix, name, host_values(name, value), matrix.blocks)
    return array_namespace(array).reshape(array, (-1,))


class _RowsEvaluation(Evaluation):
    """A point of a problem with an alpha for each row; ``log_alpha`` is that of the least."""

    problem: KroneckerRegression

    @cached_property
    def _parts(self) -> tuple[Any, ...]:
        """F, v / alpha, e / alpha and C as n1 x n2, and log(alpha) as n1, on A's device."""
        problem, xp = self.problem, array_namespace(self.z)
        Z = problem.by_rows(self.z)
        with np.errstate(all="ignore"):  # leaving the range of doubles is reported by `inside`
            top = xp.max(Z, axis=1)
            if isinstance(problem.link, SoftResidual):
                top = xp.where(top > 0, top, xp.zeros_like(top))
            u, v, e, _ = problem.normalisable.scaled(Z, top[:, None])
            alpha = xp.sum(u, axis=1)
            inside = alpha > 0
            safe = xp.where(inside, alpha, xp.ones_like(alpha))
            log_alpha = xp.where(inside, xp.log(safe) + top, xp.full_like(alpha, -np.inf))
            F, v, e = u / alpha[:, None], v / alpha[:, None], e / alpha[:, None]
        return F, v, e, F - problem.by_rows(problem.target), log_alpha

    @cached_property
    def _model(self) -> Model:
        xp = array_namespace(self.z)
        F, v, e, C, log_alpha = self._parts
        f, v, e, c = (xp.reshape(part, (-1,)) for part in (F, v, e, C))
        least = scalar(xp.min(log_alpha))
        with np.errstate(all="ignore"):
            return Model(f, v, e, c, least, scalar(f @ f), scalar(f @ c), scalar(c @ c))

    @cached_property
    def _slopes(self) -> Slopes:
        problem, xp = self.problem, array_namespace(self.z)
        F, v, e, C, _ = self._parts
        w2, Z, B = (problem.by_rows(part) for part in (problem.w2, self.z, problem.target))
        with np.errstate(all="ignore"):
            fc, ff = xp.sum(F * C, axis=1)[:, None], xp.sum(F * F, axis=1)[:, None]
            centred, WZ = C - fc, w2 * Z
            D = v * v + centred * e + w2
            h = v * (B - 2.0 * F + (0.5 * ff + fc))
            gradient, diagonal, h = (xp.reshape(part, (-1,)) for part in (v * centred + WZ, D, h))
            return Slopes(gradient, diagonal, h, scalar((WZ * Z).sum()), scalar(diagonal.sum()))

    @property
    def terms(self) -> Any:
        """Sizes of the terms of alpha q before they cancel, each row by itself."""
        xp, (F, _, _, C, _) = array_namespace(self.z), self._parts
        sizes = xp.abs(F)
        shares = xp.abs(xp.sum(F * C, axis=1))[:, None]
        sizes = sizes * (1.0 + xp.sum(sizes, axis=1)[:, None]) + shares
        return xp.reshape(sizes, (-1,)) + xp.abs(self.problem.target)

    @cached_property
    def curvature(self) -> RowCurvature:
        """The curvature in z: blocks of diagonal plus rank two."""
        slopes = self._slopes
        return RowCurvature(
            slopes.diagonal, left=self._parts[1], right=self.problem.by_rows(slopes.h)
        )

    @cached_property
    def gauss_newton(self) -> RowCurvature:
        """F^T F + W^2 with F = df/dz, positive semidefinite."""
        xp, (F, v, _, _, _) = array_namespace(self.z), self._parts
        half = 0.5 * xp.sum(F * F, axis=1)[:, None]
        D = self.gauss_newton_diagonal + self.problem.w2
        return RowCurvature(D, left=v, right=v * (half - F))

    def differentiate(self) -> None:
        """Nothing is to be had beforehand: the rank-two parts are within the blocks."""

    def growth(self, image: Any) -> float:
        """Return the derivative of the least log(alpha) along p, from its image A p."""
        row = int(self._parts[4].argmin())
        return float(self._parts[1][row] @ self.problem.by_rows(image)[row])
