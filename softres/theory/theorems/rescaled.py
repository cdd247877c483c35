"""Rescaled softmax regression, arXiv 2305.00660: c = u - alpha b, u = exp(A x).

The constants are derived here; T is recalled. With F = (I - b 1^T) diag(v), q = c - <b, c>, and
the curvature F^T F + diag(q*e) + W^2 of :mod:`softres.problems.rescaled`, where |z_i| <= R^2:

**Convexity.** F^T F >= 0. c lies between -alpha b and u, so |c|_inf <= n exp(R^2), and |q|_inf <= 2
|c|_inf for sum(b) <= 1. Hence B >= -2 n exp(2 R^2), and w^2 = 2 n exp(2 R^2) + l / sigma_min^2 is
enough.

**M.** Per max |z_i - z'_i| <= R |x - x'|, and times |A|^2 <= R^2:

* |F| <= |I - b 1^T| max v <= (1 + sqrt(n)) exp(R^2), and F moves by as much at most: 2 (1 +
  sqrt(n))^2 exp(2 R^2) for F^T F;
* c moves by |v| + b <v, 1> <= (1 + n) exp(R^2) in each entry, q by twice that: with e and e' at
  most exp(R^2), q*e moves by (2 (1 + n) + 2 n) exp(2 R^2).

M = R^3 (2 (1 + sqrt(n))^2 + 4 n + 2) exp(2 R^2).
"""

from __future__ import annotations

from collections.abc import Mapping
from math import e, exp, log10, sqrt
from typing import ClassVar

from softres.theory.theorem import Constant, Origin, Sizes, Theorem, family_steps

__all__ = ["RescaledTheorem"]


def _lipschitz(sizes: Sizes) -> float:
    terms = 2.0 * (1.0 + sqrt(sizes.n)) ** 2 + 4.0 * sizes.n + 2.0
    return 3.0 * log10(sizes.R) + log10(terms) + 2.0 * sizes.R**2 * log10(e)


class RescaledTheorem(Theorem):
    """u - alpha b, u = exp(A x)."""

    name = "rescaled"
    order = 6
    place = "arXiv 2305.00660"
    problem = "rescaled"
    least_radius = 4.0
    weight = Constant(
        "2 n exp(2 R^2) + l / sigma_min^2",
        Origin.OURS,
        lambda s: 2.0 * s.n * exp(2.0 * s.R**2) + s.l / s.sigma_min**2,
    )
    lipschitz = Constant("R^3 (2 (1 + sqrt(n))^2 + 4 n + 2) exp(2 R^2)", Origin.OURS, _lipschitz)
    steps = (family_steps, "log(|x0 - x*| / eps)", Origin.RECALLED)
    lemmas: ClassVar[Mapping[str, Origin]] = {
        "convexity": Origin.OURS,
        "lipschitz": Origin.OURS,
        "contraction": Origin.RECALLED,
        "contraction_H": Origin.OURS,
        "steps": Origin.RECALLED,
    }
