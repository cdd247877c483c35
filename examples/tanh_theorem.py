"""A theorem in one file: regression with f = z + tanh(z), z = A x, its constants and its proof.

python scripts/report.py --profile quick --plugins examples/tanh_theorem.py --theorem tanh

Let |A|, |x| <= R, so that |z_i| <= R^2, and 0 <= n b_i <= n. The Hessian is A^T diag(phi + w^2) A
with phi = v^2 + c e, v = 1 + sech^2 z in [1, 2], e = -2 tanh z sech^2 z, |e| <= 4 / sqrt(27), and
|c| = |z + tanh z - n b| <= K = R^2 + 1 + n.

Convexity. phi >= 1 - 4 K / sqrt(27), so that w^2 = K + l / sigma_min^2 is enough for H >= l I.

M. phi' = 3 v e + c e', |e'| <= 2, is at most 24 / sqrt(27) + 2 K <= 5 + 2 K in size; |A|^2 <= R^2
and |z_i - z'_i| <= R |x - x'| give M = R^3 (5 + 2 K).
"""

from collections.abc import Mapping
from math import log10
from typing import Any, ClassVar

from softres.theory.theorem import Constant, Origin, Sizes, Theorem, contraction_steps


def largest_residual(sizes: Sizes) -> float:
    """Return K, the bound on |c_i|."""
    return sizes.R**2 + 1.0 + sizes.n


class TanhTheorem(Theorem):
    """f = A x + tanh(A x)."""

    name = "tanh"
    place = "examples/tanh_theorem.py"
    problem = "resnet"
    options: ClassVar[Mapping[str, Any]] = {"branch": "tanh"}
    weight = Constant(
        "R^2 + 1 + n + l / sigma_min^2",
        Origin.OURS,
        lambda s: largest_residual(s) + s.l / s.sigma_min**2,
    )
    lipschitz = Constant(
        "R^3 (5 + 2 (R^2 + 1 + n))",
        Origin.OURS,
        lambda s: log10(s.R**3 * (5.0 + 2.0 * largest_residual(s))),
    )
    steps = (contraction_steps, "log(|x0 - x*| / eps) / log 2.5", Origin.OURS)
    lemmas: ClassVar[Mapping[str, Origin]] = {
        "convexity": Origin.OURS,
        "lipschitz": Origin.OURS,
        "contraction_H": Origin.OURS,
        "steps": Origin.OURS,
    }
