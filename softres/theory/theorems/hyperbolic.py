"""exp, cosh and sinh regression, arXiv 2303.15725.

Its constants are recalled: w_i^2 >= t_i^2 / 2 + l / sigma_min^2 with the target t (n b here), and
T = log(|x0 - x*| / eps). Its M is derived here.

**Convexity.** The Hessian is A^T diag(phi + w^2) A with phi = v^2 + (u - t) e. For exp, phi = 2
y^2 - t y, y = e^z > 0, is at least -t^2 / 8; for cosh, phi = 2 y^2 - 1 - t y, y = cosh z >= 1, at
least -1 - t^2 / 8, and for t <= 4 at least 1 - t; for sinh, phi = 1 + 2 y^2 - t y at least 1 - t^2
/ 8. So w_i^2 >= t_i^2 / 2 + l / sigma_min^2 is enough for exp and sinh, and for cosh too: 1 - t >=
-t^2 / 2 for every t, and 1 + t^2 / 8 <= t^2 / 2 for t >= 2.

**M.** phi' = 3 v e + (u - t) u''' with |u|, |v|, |e|, |u'''| <= exp(R^2) where |z_i| <= R^2, and 0
<= t <= n, is at most (4 exp(R^2) + n) exp(R^2). |A^T diag(y) A| <= |A|^2 max |y|, and max
|z_i - z'_i| <= R |x - x'|, so that M = R^3 (4 exp(R^2) + n) exp(R^2).
"""

from __future__ import annotations

from collections.abc import Mapping
from math import e, log10
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from softres.theory.theorem import Constant, Origin, Sizes, Theorem, family_steps

__all__ = ["CoshTheorem", "ExpTheorem", "SinhTheorem"]


def _lipschitz(sizes: Sizes) -> float:
    exponent = sizes.R**2 * log10(e)
    # log10(4 exp(R^2) + n) without leaving the range of doubles
    larger = max(log10(4.0) + exponent, log10(sizes.n))
    total = larger + log10(10.0 ** (log10(4.0) + exponent - larger) + sizes.n * 10.0**-larger)
    return 3.0 * log10(sizes.R) + total + exponent


class HyperbolicTheorem(Theorem):
    """f = u(A x) against n b, without a softmax."""

    place = "arXiv 2303.15725"
    least_radius = 4.0
    weight = Constant(
        "(n b_i)^2 / 2 + l / sigma_min^2",
        Origin.RECALLED,
        lambda s: 0.5 * float(s.n) ** 2 + s.l / s.sigma_min**2,
    )
    lipschitz = Constant("R^3 (4 exp(R^2) + n) exp(R^2)", Origin.OURS, _lipschitz)
    steps = (family_steps, "log(|x0 - x*| / eps)", Origin.RECALLED)
    lemmas: ClassVar[Mapping[str, Origin]] = {
        "convexity": Origin.RECALLED,
        "lipschitz": Origin.OURS,
        "contraction": Origin.RECALLED,
        "contraction_H": Origin.OURS,
        "steps": Origin.RECALLED,
    }

    def weights(self, sizes: Sizes, b: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return the least w^2 of every row, shape (n,): each row's by its own target."""
        found: npt.NDArray[np.float64] = 0.5 * (sizes.n * b) ** 2 + sizes.l / sizes.sigma_min**2
        return found


class ExpTheorem(HyperbolicTheorem):
    """u = exp."""

    name = "exp"
    order = 3
    problem = "exp"


class CoshTheorem(HyperbolicTheorem):
    """u = cosh."""

    name = "cosh"
    order = 4
    problem = "cosh"


class SinhTheorem(HyperbolicTheorem):
    """u = sinh."""

    name = "sinh"
    order = 5
    problem = "sinh"
