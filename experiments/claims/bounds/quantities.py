"""The quantities of Lemmas 7.1, 8.2 and 8.3 for whole batches of points, as torch tensors.

Written apart from the library, so that an adversarial search can differentiate through them and
a mistake in the library does not hide.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from math import sqrt
from typing import Any

__all__ = ["DIFFERENCES", "LEMMA_NORMS", "PointBatch", "matrix_parts"]


@dataclass(frozen=True)
class PointBatch:
    """Points x with targets b, in batches of any shape (..., d) and (..., n).

    Attributes
    ----------
    z, b
        A x and the targets, shape (..., n).
    """

    z: Any
    b: Any

    @cached_property
    def e(self) -> Any:
        """exp(z)."""
        return self.z.exp()

    @cached_property
    def u(self) -> Any:
        """exp(z) + z."""
        return self.e + self.z

    @cached_property
    def v(self) -> Any:
        """exp(z) + 1."""
        return self.e + 1.0

    @cached_property
    def alpha(self) -> Any:
        """<u, 1>, shape (..., 1)."""
        return self.u.sum(-1, keepdim=True)

    @cached_property
    def f(self) -> Any:
        """The model, u / alpha."""
        return self.u / self.alpha

    @cached_property
    def c(self) -> Any:
        """The residual, f - b."""
        return self.f - self.b

    @cached_property
    def residual(self) -> Any:
        """What alpha q is: c - <f, c> 1."""
        f = self.f
        c = f - self.b
        return c - (f * c).sum(-1, keepdim=True)

    @cached_property
    def q(self) -> Any:
        """(c - <f, c> 1) / alpha."""
        return self.residual / self.alpha


def matrix_parts(point: PointBatch, name: str, frame: Any = None) -> Any:
    """Return B1, B2, B3 or their sum H in the frame's columns (A; default the identity).

    Shape (..., d, d), with the split of Definition 5.1 and without W^2.
    """
    import torch

    n = point.z.shape[-1]
    A = torch.eye(n, dtype=point.z.dtype) if frame is None else frame
    p = point.v / point.alpha
    total: Any = 0.0
    if name in ("B1", "H"):
        F = p.unsqueeze(-1) * A - point.f.unsqueeze(-1) * (p @ A).unsqueeze(-2)
        total = total + F.mT @ F
    if name in ("B2", "H"):
        diagonal = point.residual * point.e / point.alpha
        total = total + A.mT @ (diagonal.unsqueeze(-1) * A)
    if name in ("B3", "H"):
        outer = ((p * point.residual) @ A).unsqueeze(-1) * (p @ A).unsqueeze(-2)
        total = total - outer - outer.mT
    return total


def _length(values: Any) -> Any:
    # The square root has no derivative at 0; a constant this small changes nothing else.
    return ((values * values).sum(-1) + 1e-300).sqrt()


def _root(point: PointBatch) -> float:
    return sqrt(point.z.shape[-1])


#: The norms of Lemma 8.2. |I - f 1^T| = sqrt(n) |f|, for it is a projection.
LEMMA_NORMS: dict[str, Callable[[PointBatch], Any]] = {
    "exp": lambda x: _length(x.e),
    "u": lambda x: _length(x.u),
    "alpha": lambda x: x.alpha[..., 0],
    "1/alpha": lambda x: 1.0 / x.alpha[..., 0],
    "f": lambda x: _length(x.f),
    "c": lambda x: _length(x.c),
    "I - f 1^T": lambda x: _root(x) * _length(x.f),
    "v": lambda x: _length(x.v),
    "1/alpha^2": lambda x: x.alpha[..., 0] ** -2,
    "q": lambda x: _length(x.q),
}

#: The norms of the differences of Lemma 8.3; diag(v) in the operator norm, its largest entry.
DIFFERENCES: dict[str, Callable[[PointBatch, PointBatch], Any]] = {
    "exp": lambda x, y: _length(x.e - y.e),
    "u": lambda x, y: _length(x.u - y.u),
    "alpha": lambda x, y: _length(x.alpha - y.alpha),
    "1/alpha": lambda x, y: _length(1.0 / x.alpha - 1.0 / y.alpha),
    "f": lambda x, y: _length(x.f - y.f),
    "c": lambda x, y: _length(x.c - y.c),
    "v": lambda x, y: _length(x.v - y.v),
    "I - f 1^T": lambda x, y: _root(x) * _length(x.f - y.f),
    "diag(v)": lambda x, y: (x.v - y.v).abs().amax(-1),
    "1/alpha^2": lambda x, y: _length(x.alpha**-2 - y.alpha**-2),
    "q": lambda x, y: _length(x.q - y.q),
    "q * exp": lambda x, y: _length(x.q * x.e - y.q * y.e),
}
