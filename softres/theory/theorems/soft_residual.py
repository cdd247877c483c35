"""Soft-residual regression, arXiv 2309.13482: the paper's own theorem."""

from __future__ import annotations

from collections.abc import Mapping
from math import exp, log
from typing import ClassVar

from softres.theory.predictions import log10_lipschitz_recalled
from softres.theory.theorem import Constant, Origin, Sizes, Theorem, contraction_steps

__all__ = ["SANDWICH", "SoftResidualTheorem"]

#: The family states it for softmax regression; soft-residual regression leans on it.
SANDWICH = Constant(
    "200 exp(R^2) + l / sigma_min^2",
    Origin.FAMILY,
    lambda s: 200.0 * exp(s.R * s.R) + s.l / s.sigma_min**2,
)


def _lipschitz(sizes: Sizes) -> float:
    return log10_lipschitz_recalled(sizes.n, sizes.R, log(sizes.beta))


class SoftResidualTheorem(Theorem):
    """Theorem 9.1: f = u / <u, 1>, u = exp(A x) + A x."""

    name = "softres"
    order = 1
    place = "arXiv 2309.13482, Theorem 9.1"
    problem = "softres"
    least_radius = 4.0
    weight = Constant(
        "100 + l / sigma_min^2", Origin.RECALLED, lambda s: 100.0 + s.l / s.sigma_min**2
    )
    lipschitz = Constant("beta^-2 n^1.5 exp(20 R^2)", Origin.RECALLED, _lipschitz)
    steps = (contraction_steps, "log(|x0 - x*| / eps) / log 2.5", Origin.PAPER)
    sandwich = SANDWICH
    lemmas: ClassVar[Mapping[str, Origin]] = {
        "convexity": Origin.RECALLED,
        "lipschitz": Origin.RECALLED,
        "sandwich": Origin.OURS,
        "contraction": Origin.PAPER,
        "contraction_H": Origin.OURS,
        "steps": Origin.PAPER,
    }
