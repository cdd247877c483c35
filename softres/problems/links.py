"""Links: the scalar functions u(z) that turn z = A x into a model, with u' and u''.

A link is used *plain*, f = u(z), or *normalised*, f = u(z) / sum(u(z)). Normalised links also
offer :meth:`NormalisableLink.scaled`, which returns u, u' and u'' over exp(m) for a common m, so
that their ratios stay finite where exp(z) itself would overflow.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, pi, sqrt
from typing import Any, ClassVar, Protocol, runtime_checkable

from softres.common.arrays import array_namespace, is_torch
from softres.common.reading import scalar

__all__ = [
    "BRANCHES",
    "Cosh",
    "Exp",
    "Link",
    "NormalisableLink",
    "Residual",
    "Sinh",
    "SoftResidual",
]

Triple = tuple[Any, Any, Any]


class Link(Protocol):
    """A scalar function applied to every entry of z."""

    name: ClassVar[str]

    def evaluate(self, z: Any) -> Triple:
        """Return u(z), u'(z) and u''(z), each of z's shape."""
        ...


@runtime_checkable
class NormalisableLink(Link, Protocol):
    """A link that can be divided by its sum without overflow."""

    def shift(self, z: Any) -> Any:
        """Return an m that keeps everything over exp(m) finite for all entries of z.

        A float; for z on a device an array without axes, there.
        """
        ...

    def scaled(self, z: Any, m: Any = None) -> tuple[Any, Any, Any, Any]:
        """Return u, u' and u'' over exp(m), and m; ``shift(z)`` where m is not given.

        m may be an array of a shape that goes with z's, such as one for each row.
        """
        ...


class SoftResidual:
    """u = exp(z) + z, the link of soft-residual regression (Definition 1.4)."""

    name: ClassVar[str] = "exp(z) + z"

    def evaluate(self, z: Any) -> Triple:
        """Return u = exp(z) + z, u' = exp(z) + 1 and u'' = exp(z)."""
        e = array_namespace(z).exp(z)
        return e + z, e + 1.0, e

    def shift(self, z: Any) -> Any:
        """Return max(0, max z): over exp of it every entry is at most 1 + |z|."""
        m = scalar(z.max())
        return max(0.0, m) if isinstance(m, float) else m.clamp(min=0.0)

    def scaled(self, z: Any, m: Any = None) -> tuple[Any, Any, Any, Any]:
        """Return u, u' and u'' over exp(m), and m."""
        xp = array_namespace(z)
        m = self.shift(z) if m is None else m
        on_host = isinstance(m, float)
        if on_host and m == 0.0:
            return *self.evaluate(z), 0.0
        e = xp.exp(z - m)
        t = exp(-m) if on_host else xp.exp(-m)
        return e + t * z, e + t, e, m


class Exp:
    """u = exp(z): normalised it is softmax regression, plain it is exp regression."""

    name: ClassVar[str] = "exp(z)"

    def evaluate(self, z: Any) -> Triple:
        """Return exp(z) three times."""
        e = array_namespace(z).exp(z)
        return e, e, e

    def shift(self, z: Any) -> Any:
        """Return max z: over exp of it nothing overflows, and not all vanishes."""
        return scalar(z.max())

    def scaled(self, z: Any, m: Any = None) -> tuple[Any, Any, Any, Any]:
        """Return exp(z - m) three times, and m."""
        xp = array_namespace(z)
        m = self.shift(z) if m is None else m
        e = xp.exp(z - m)
        return e, e, e, m


class Cosh:
    """u = cosh(z) (Definition 1.3, the hyperbolic family)."""

    name: ClassVar[str] = "cosh(z)"

    def evaluate(self, z: Any) -> Triple:
        """Return cosh(z), sinh(z) and cosh(z)."""
        xp = array_namespace(z)
        u = xp.cosh(z)
        return u, xp.sinh(z), u


class Sinh:
    """u = sinh(z) (Definition 1.3, the hyperbolic family)."""

    name: ClassVar[str] = "sinh(z)"

    def evaluate(self, z: Any) -> Triple:
        """Return sinh(z), cosh(z) and sinh(z)."""
        xp = array_namespace(z)
        u = xp.sinh(z)
        return u, xp.cosh(z), u


@dataclass(frozen=True)
class Residual:
    """u = z + g(z): a skip connection beside one residual branch g, as in a ResNet block.

    Attributes
    ----------
    branch
        The name of g, one of :data:`BRANCHES`.
    """

    name: ClassVar[str] = "z + g(z)"
    branch: str = "exp"

    def evaluate(self, z: Any) -> Triple:
        """Return z + g, 1 + g' and g''."""
        g, dg, ddg = BRANCHES[self.branch](z)
        return z + g, 1.0 + dg, ddg


def _exp_branch(z: Any) -> Triple:
    e = array_namespace(z).exp(z)
    return e, e, e


def _tanh_branch(z: Any) -> Triple:
    xp = array_namespace(z)
    g = xp.tanh(z)
    # sech^2 from exp(-2|z|) keeps its relative accuracy where 1 - tanh^2 cancels.
    t = xp.exp(-2.0 * xp.abs(z))
    sech2 = 4.0 * t / (1.0 + t) ** 2
    return g, sech2, -2.0 * g * sech2


def _softplus_branch(z: Any) -> Triple:
    xp = array_namespace(z)
    t = xp.exp(-xp.abs(z))
    positive = z > 0
    g = xp.where(positive, z, xp.zeros_like(z)) + xp.log1p(t)
    one = xp.ones_like(z)
    return g, xp.where(positive, one, t) / (1.0 + t), t / (1.0 + t) ** 2


def _gelu_branch(z: Any) -> Triple:
    xp = array_namespace(z)
    cdf = 0.5 * _erfc(-z / sqrt(2.0))
    pdf = xp.exp(-0.5 * z * z) / sqrt(2.0 * pi)
    return z * cdf, cdf + z * pdf, pdf * (2.0 - z * z)


def _erfc(z: Any) -> Any:
    """Complementary error function, the one function here that the array standard lacks."""
    if is_torch(z):
        import torch

        return torch.special.erfc(z)
    from scipy.special import erfc

    return erfc(z)


#: The residual branches g of :class:`Residual`: each returns g, g' and g''.
BRANCHES = {
    "exp": _exp_branch,
    "tanh": _tanh_branch,
    "softplus": _softplus_branch,
    "gelu": _gelu_branch,
}
