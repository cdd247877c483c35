"""Rescaled regression: the target meets the sum of the links, and nothing is divided by it.

As in arXiv 2305.00660, softmax regression's f - b is multiplied by alpha = <u, 1>:

    c = u - alpha b,    L = 1/2 |c|^2 + 1/2 |diag(w) A x|^2

for any link u(z), z = A x, b >= 0 and sum(b) <= 1. The loss is defined wherever u is: it has no
pole at alpha = 0. With v = u', e = u'' and F = dc/dz = diag(v) - b v^T = (I - b 1^T) diag(v),

    gradient in z      F^T c + w^2 z = v*q + w^2 z,    q = c - <b, c>
    curvature          F^T F + diag(q*e + w^2) = diag(D) + v h^T + h v^T
                       D = v^2 + q*e + w^2,    h = v*(|b|^2/2 - b)

because F^T F = diag(v) (I - 1 b^T) (I - b 1^T) diag(v), and the second derivatives of c_k, e_k in
z_k and -b_k e_i in z_i, add up to q*e. Again diagonal plus rank two, and the rank-two part is all
the Gauss-Newton matrix's.

A link with u(0) = 0 (sinh, and those of ResNet style with tanh or gelu) has its minimum, 0, at
x = 0.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np

from softres.common.arrays import array_namespace
from softres.common.checks import choice
from softres.common.reading import scalar
from softres.problems.chunks import Pieces, by_chunks
from softres.problems.curvature import Curvature
from softres.problems.evaluation import Evaluation
from softres.problems.links import Cosh, Exp, Link, Residual, Sinh, SoftResidual
from softres.problems.parts import Model, Slopes
from softres.problems.problem import Problem

__all__ = ["RescaledRegression"]

#: The links by the names of the problems that they belong to.
LINKS: dict[str, Link] = {
    "exp": Exp(),
    "softres": SoftResidual(),
    "cosh": Cosh(),
    "sinh": Sinh(),
    "resnet-tanh": Residual("tanh"),
    "resnet-softplus": Residual("softplus"),
    "resnet-gelu": Residual("gelu"),
}


class RescaledRegression(Problem):
    """u(A x) against alpha b, alpha = <u, 1>: a softmax that is multiplied out (arXiv 2305.00660).

    Parameters
    ----------
    link
        u: ``"exp"``, ``"softres"``, ``"cosh"``, ``"sinh"``, ``"resnet-tanh"``,
        ``"resnet-softplus"`` or ``"resnet-gelu"``.

    Examples
    --------
    >>> import numpy as np
    >>> problem = RescaledRegression(np.eye(2), [0.5, 0.5])
    >>> problem.value(np.zeros(2))  # u = (1, 1) and alpha b = 2 (1/2, 1/2)
    0.0
    """

    name = "rescaled"
    order = 3
    normalised = False
    rescaled = True

    def __init__(self, A: Any, b: Any, w: Any = None, *, link: str = "exp") -> None:
        choice("link", link, LINKS)
        super().__init__(A, b, w, link=LINKS[link])

    def at(self, x: Any, z: Any | None = None) -> Evaluation:
        """Return the evaluation at x, shape (d,); ``z`` is A x where it is known."""
        return _RescaledEvaluation(self, x, z)


class _RescaledEvaluation(Evaluation):
    """A point of a rescaled problem; f is u, and ``fc`` of its model <b, c>."""

    @cached_property
    def _model(self) -> Model:
        problem = self.problem

        def links(z: Any) -> Pieces:
            u, v, e = problem.link.evaluate(z)
            return (u, v, e), (scalar(u.sum()),)

        def residual(u: Any, b: Any) -> Pieces:
            c = u - alpha * b
            return (c,), (scalar(u @ u), scalar(b @ c), scalar(c @ c))

        with np.errstate(all="ignore"):  # leaving the range of doubles is reported by `inside`
            (u, v, e), (alpha,) = by_chunks(links, self.z)
            (c,), sums = by_chunks(residual, u, problem.b)
        return Model(u, v, e, c, 0.0, *sums)

    @cached_property
    def _half_norm(self) -> Any:
        """|b|^2 / 2."""
        b = self.problem.b
        return 0.5 * scalar(b @ b)

    @cached_property
    def _slopes(self) -> Slopes:
        problem, model, half = self.problem, self._model, self._half_norm

        def slopes(z: Any, w2: Any, v: Any, e: Any, c: Any, b: Any) -> Pieces:
            q = c - model.fc
            wz = w2 * z
            diagonal = v * v + q * e + w2
            sums = scalar(wz @ z), scalar(diagonal.sum())
            return (v * q + wz, diagonal, v * (half - b)), sums

        with np.errstate(all="ignore"):
            arrays, sums = by_chunks(
                slopes, self.z, problem.w2, model.v, model.e, model.c, problem.b
            )
        return Slopes(*arrays, *sums)

    @cached_property
    def gauss_newton(self) -> Curvature:
        """F^T F + W^2 with F = dc/dz, positive semidefinite."""
        v, b = self._model.v, self.problem.b
        return Curvature(v * v + self.problem.w2, v, v * (self._half_norm - b))

    @property
    def terms(self) -> Any:
        """Sizes of the terms of q before they cancel: u, alpha b term by term, and <b, c>."""
        xp, b = array_namespace(self.z), self.problem.b
        sizes = xp.abs(self.f)
        return sizes + float(sizes.sum()) * b + abs(self._model.fc)
