"""Lemma 8.2: how large u, alpha, f, c, v and q can be where |A|, |x| <= R and alpha >= beta.

Everything rests on four numbers of the region (:class:`Region`), so that the same formulas give
the worst case in (n, R, beta) and the sharper figure of one instance. Two observations make them
smaller than the exponentials of the family of papers:

* |z|_2 <= |A||x| as a whole, so exp(z) is far from 1 in few entries only;
* sum(exp(z)) = alpha - sum(z), so whatever is divided by alpha is bounded by powers of
  R, sqrt(n) and 1 / beta, without exp(R^2).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, sqrt
from typing import Any

import numpy as np

__all__ = ["BASIC", "Region", "basic_bounds", "recalled_bounds"]

#: The ten quantities of Lemma 8.2, in its order as far as its proof tells it.
BASIC = ("exp", "u", "alpha", "1/alpha", "f", "c", "I - f 1^T", "v", "1/alpha^2", "q")


@dataclass(frozen=True)
class Region:
    """What is known of z = A x over a ball of x, and of alpha.

    Attributes
    ----------
    n
        Rows of A.
    largest
        Bounds max_i |z_i|.
    length
        Bounds |z|_2.
    drift
        Bounds |sum(z)|.
    assumed
        beta of the assumption alpha >= beta.
    """

    n: int
    largest: float
    length: float
    drift: float
    assumed: float

    @classmethod
    def worst(cls, n: int, R: float, beta: float) -> Region:
        """Return the region of all A, x with |A|, |x| <= R: |z_i| <= |z|_2 <= R^2."""
        return cls(n, R * R, R * R, sqrt(n) * R * R, beta)

    @classmethod
    def of(cls, A: Any, radius: float, beta: float) -> Region:
        """Return the region of one A, shape (n, d), over |x| <= radius: row by row."""
        rows = float(np.linalg.norm(A, axis=1).max())
        drift = float(np.linalg.norm(A.sum(axis=0)))
        norm = float(np.linalg.norm(A, 2))
        return cls(len(A), rows * radius, norm * radius, drift * radius, beta)

    @property
    def beta(self) -> float:
        """The least that alpha can be: exp(t) >= 1 + t gives alpha >= n + 2 sum(z) for nothing."""
        return max(self.assumed, self.n - 2.0 * self.drift)

    @property
    def spread(self) -> float:
        """Bounds |exp(z) - 1|_2: (exp(t) - 1) / t increases, so each entry is <= spread |z_i|."""
        t = self.largest
        return self.length * (_expm1(t) / t if t > 0 else 1.0)

    @property
    def f(self) -> float:
        """Bounds |f|_2.

        |u|_1 = alpha + 2 sum(max(-u, 0)) and max(-u, 0) <= max(-z, 0), whose sum is at most
        (sqrt(n) |z|_2 + |sum z|) / 2. Hence |f|_2 <= |f|_1 <= 1 + (sqrt(n) |z|_2 + drift) / beta.
        The other bound is |u|_2 / beta.
        """
        by_sum = 1.0 + (sqrt(self.n) * self.length + self.drift) / self.beta
        return min(by_sum, (sqrt(self.n) + self.spread + self.length) / self.beta)

    @property
    def _p_sum(self) -> float:
        return 1.0 + (self.n + self.drift) / self.beta

    @property
    def p(self) -> float:
        """Bounds |p|_2, p = v / alpha: |v|_1 = alpha - sum(z) + n, or |v|_2 / beta."""
        return min(self._p_sum, (2.0 * sqrt(self.n) + self.spread) / self.beta)

    @property
    def p_max(self) -> float:
        """Bounds max_i p_i: by the sum as in :attr:`p`, or (1 + exp(max z)) / beta."""
        return min(self._p_sum, (_expm1(self.largest) + 2.0) / self.beta)

    @property
    def g(self) -> float:
        """Bounds |g|_2, g = exp(z) / alpha: |exp(z)|_1 = alpha - sum(z), or |exp(z)|_2 / beta."""
        return min(1.0 + self.drift / self.beta, (sqrt(self.n) + self.spread) / self.beta)

    @property
    def g_max(self) -> float:
        """Bounds max_i g_i: by the sum as in :attr:`g`, or exp(max z) / beta."""
        return min(1.0 + self.drift / self.beta, (_expm1(self.largest) + 1.0) / self.beta)

    @property
    def residual_max(self) -> float:
        """Bounds |alpha q|_inf = |c - <f,c> 1|_inf <= |c| (1 + |f|), with |c| <= |f| + 1."""
        return (1.0 + self.f) ** 2


def basic_bounds(region: Region) -> dict[str, float]:
    """Return an upper bound of each norm of Lemma 8.2 over a region, by the names of `BASIC`.

    * |exp(z)| <= |1| + |exp(z) - 1| <= sqrt(n) + spread;
    * u - 1 = (exp(z) - 1) + z and v - 2 = exp(z) - 1, so |u| <= sqrt(n) + spread + |z| and
      |v| <= 2 sqrt(n) + spread;
    * alpha = n + 2 sum(z) + sum(exp(z) - 1 - z), and (exp(t) - 1 - t) / t^2 increases;
    * 1 / alpha <= 1 / beta;
    * |f| as in :attr:`Region.f`, |c| <= |f| + |b|_1 <= |f| + 1;
    * <f, 1> = 1 makes I - f 1^T a projection, whose norm is that of its complement: sqrt(n) |f|;
    * alpha q = c - <f,c> 1 = (I - f 1^T)^T c, so |q| <= sqrt(n) |f| |c| / beta.
    """
    n, t, beta = region.n, region.largest, region.beta
    root, f = sqrt(n), region.f
    second = (_expm1(t) - t) / (t * t) if t > 1e-4 else 0.5 * (1.0 + t)
    values = (
        root + region.spread,
        root + region.spread + region.length,
        n + 2.0 * region.drift + region.length**2 * second,
        1.0 / beta,
        f,
        f + 1.0,
        root * f,
        2.0 * root + region.spread,
        beta**-2.0,
        root * f * (f + 1.0) / beta,
    )
    return dict(zip(BASIC, values, strict=True))


def recalled_bounds(n: int, R: float, beta: float) -> dict[str, float]:
    """Return the bounds as the family of papers has them, by the names of `BASIC`.

    Recalled, not quoted: every |z_i| <= R^2 <= exp(R^2), taken for each of the n entries at
    once, and products of norms from there on.
    """
    root, big = sqrt(n), _expm1(R * R) + 1.0
    f = 2.0 * root * big / beta
    values = (
        root * big,
        2.0 * root * big,
        2.0 * n * big,
        1.0 / beta,
        f,
        f + 1.0,
        1.0 + root * f,
        2.0 * root * big,
        beta**-2.0,
        (1.0 + root * f) * (f + 1.0) / beta,
    )
    return dict(zip(BASIC, values, strict=True))


def _expm1(t: float) -> float:
    """exp(t) - 1; inf beyond the range of doubles."""
    return float(np.expm1(t)) if t < 709.0 else inf
