"""Lemmas 8.1 and 8.3 to 8.8: Lipschitz constants where |A|, |x| <= R and alpha >= beta.

The set alpha >= beta is not convex, so the segment between two of its points may leave it.
Nothing here differentiates along a segment: every bound is on a difference between two points,
and asks alpha >= beta at these two only.

With x the point of larger alpha, f_x - f_y = (u_x - u_y) / alpha_x + f_y (alpha_y - alpha_x) /
alpha_x, and so for p and g.
By the mean value theorem entry by entry, |u_x - u_y|_i <= max(v_x, v_y)_i |z_x - z_y|_i, for v is
monotone in z; divided by the larger alpha this is at most max(p_x, p_y)_i. So, per |z_x - z_y|:

* |difference of alpha| / alpha_x <= |max(p_x, p_y)| <= sqrt(2) |p|;
* |difference of f| <= max p + sqrt(2) |f||p|;
* of p = v / alpha: max g + sqrt(2) |p|^2, in the largest entry max g + sqrt(2) max p |p|;
* of g = exp(z) / alpha: max g + sqrt(2) |g||p|, in the largest entry max g (1 + sqrt(2) |p|).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import sqrt

from softres.theory.bounds import Region, _expm1, basic_bounds, recalled_bounds

__all__ = [
    "CURVATURE",
    "LIPSCHITZ",
    "Differences",
    "basic_lipschitz",
    "hessian_lipschitz",
    "recalled_lipschitz",
]

#: The twelve quantities of Lemma 8.3, in its order as far as its proof tells it.
LIPSCHITZ = (
    "exp",
    "u",
    "alpha",
    "1/alpha",
    "f",
    "c",
    "v",
    "I - f 1^T",
    "diag(v)",
    "1/alpha^2",
    "q",
    "q * exp",
)
#: The matrices of Lemmas 8.5 to 8.8 in the split of Definition 5.1, and the Hessian.
CURVATURE = ("B1", "B2", "B3", "H")


@dataclass(frozen=True)
class Differences:
    """Bounds on differences between two points of a region, per |z_x - z_y|_2.

    Attributes
    ----------
    region
        Where both points lie.
    """

    region: Region

    @cached_property
    def f(self) -> float:
        """Of f and c, in the 2-norm."""
        r = self.region
        return r.p_max + sqrt(2.0) * r.f * r.p

    @cached_property
    def p(self) -> float:
        """Of p = v / alpha, in the 2-norm."""
        r = self.region
        return r.g_max + sqrt(2.0) * r.p * r.p

    @cached_property
    def p_max(self) -> float:
        """Of p, in the largest entry."""
        r = self.region
        return r.g_max + sqrt(2.0) * r.p_max * r.p

    @cached_property
    def g(self) -> float:
        """Of g = exp(z) / alpha, in the 2-norm."""
        r = self.region
        return r.g_max + sqrt(2.0) * r.g * r.p

    @cached_property
    def g_max(self) -> float:
        """Of g, in the largest entry."""
        r = self.region
        return r.g_max * (1.0 + sqrt(2.0) * r.p)

    @cached_property
    def inner(self) -> float:
        """Of <f, c>: the difference is <f_x - f_y, f_x + f_y - b>."""
        return self.f * (2.0 * self.region.f + 1.0)

    @cached_property
    def residual_max(self) -> float:
        """Of alpha q = c - <f,c> 1, in the largest entry."""
        return self.f + self.inner

    @cached_property
    def inverse_alpha(self) -> float:
        """Of 1 / alpha: |difference of alpha| <= |v| over the ball, which is convex.

        Over the two alphas, both >= beta; or through sqrt(2) |p| / beta, without exp(R^2).
        """
        beta = self.region.beta
        v = basic_bounds(self.region)["v"]
        return min(v / beta**2, sqrt(2.0) * self.region.p / beta)


def basic_lipschitz(region: Region, norm: float, row: float) -> dict[str, float]:
    """Return Lipschitz constants in x of the quantities of Lemma 8.3, by the names of `LIPSCHITZ`.

    Parameters
    ----------
    region
        Where both points lie.
    norm
        Bounds |A|_2, so |z_x - z_y|_2 <= norm |x - y|.
    row
        Bounds max_i |a_i|, for the one quantity that is measured in its largest entry.

    Notes
    -----
    exp, u and v move by at most exp(max z) (plus 1 for u) entry by entry. The difference of
    alpha q is that of c less a multiple of the vector 1; q and q * exp = (alpha q) * g follow by
    the product rule for differences.
    """
    root, steep = sqrt(region.n), _expm1(region.largest) + 1.0
    change = Differences(region)
    bounds = basic_bounds(region)
    residual = root * region.f * bounds["c"]
    values = (
        steep * norm,
        (steep + 1.0) * norm,
        bounds["v"] * norm,
        change.inverse_alpha * norm,
        change.f * norm,
        change.f * norm,
        steep * norm,
        root * change.f * norm,
        steep * row,
        2.0 / region.beta * change.inverse_alpha * norm,
        ((change.f + root * change.inner) / region.beta + residual * change.inverse_alpha) * norm,
        (change.residual_max * region.g + region.residual_max * change.g) * norm,
    )
    return dict(zip(LIPSCHITZ, values, strict=True))


def recalled_lipschitz(n: int, R: float, beta: float) -> dict[str, float]:
    """Return the constants as the family of papers has them, by the names of `LIPSCHITZ`.

    Recalled, not quoted: |exp(A x) - exp(A y)| <= 2 sqrt(n) R exp(R^2) |x - y|, half as much
    again for u, and sums over products of norms from there on.
    """
    root, bound = sqrt(n), recalled_bounds(n, R, beta)
    exp = 2.0 * root * R * (_expm1(R * R) + 1.0)
    u = 1.5 * exp
    alpha = root * u
    inverse = alpha / beta**2
    f = u / beta + bound["u"] * inverse
    projection, c = bound["I - f 1^T"], bound["c"]
    q = inverse * projection * c + (root * c + projection) * f / beta
    values = (
        exp,
        u,
        alpha,
        inverse,
        f,
        f,
        exp,
        root * f,
        exp,
        2.0 * inverse / beta,
        q,
        q * bound["exp"] + bound["q"] * exp,
    )
    return dict(zip(LIPSCHITZ, values, strict=True))


def hessian_lipschitz(region: Region, norm: float) -> dict[str, float]:
    """Return Lipschitz constants in x of A^T B_k A and of the Hessian, by `CURVATURE`.

    Notes
    -----
    A^T . A brings |A|^2 and z_x - z_y another |A|, so each is |A|^3 times, per |z_x - z_y|:

    * B1 = F^T F, F = diag(p) - f p^T: 2 |F| |dF|, |F| <= max p + |f||p| (also sqrt(n) |f| max p,
      for F = (I - f 1^T) diag(p)) and |dF| <= |dp|_inf + |df||p| + |f||dp|;
    * B2 = diag((alpha q) * g): |d(alpha q)|_inf max g + |alpha q|_inf |dg|_inf;
    * B3 = -(r p^T + p r^T), r = p * (alpha q): 2 (|dr||p| + |r||dp|) with
      |dr| <= |dp||alpha q|_inf + |p||d(alpha q)|_inf;
    * H: their sum. W^2 does not move.

    M is a power of R, sqrt(n) and 1 / beta: the exp(R^2) of the family's M is not needed.
    """
    r, d = region, Differences(region)
    F = min(r.p_max + r.f * r.p, sqrt(r.n) * r.f * r.p_max)
    first = 2.0 * F * (d.p_max + d.f * r.p + r.f * d.p)
    second = d.residual_max * r.g_max + r.residual_max * d.g_max
    moved = d.p * r.residual_max + r.p * d.residual_max
    third = 2.0 * (moved * r.p + r.p * r.residual_max * d.p)
    values = (first, second, third, first + second + third)
    return {name: norm**3 * value for name, value in zip(CURVATURE, values, strict=True)}
