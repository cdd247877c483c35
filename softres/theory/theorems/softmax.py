"""Softmax regression, arXiv 2304.10411, with the constants that arXiv 2306.14048 states of it."""

from __future__ import annotations

from collections.abc import Mapping
from math import e, log10
from typing import ClassVar

from softres.theory.theorem import Constant, Origin, Theorem, family_steps
from softres.theory.theorems.soft_residual import SANDWICH

__all__ = ["SoftmaxTheorem"]


class SoftmaxTheorem(Theorem):
    """f = u / <u, 1>, u = exp(A x)."""

    name = "softmax"
    order = 2
    place = "arXiv 2304.10411, by the appendix of arXiv 2306.14048"
    problem = "softmax"
    least_radius = 10.0
    weight = Constant("20 + l / sigma_min^2", Origin.FAMILY, lambda s: 20.0 + s.l / s.sigma_min**2)
    lipschitz = Constant(
        "n^2 exp(40 R^2)", Origin.FAMILY, lambda s: 2.0 * log10(s.n) + 40.0 * s.R**2 * log10(e)
    )
    steps = (family_steps, "log(|x0 - x*| / eps)", Origin.FAMILY)
    sandwich = SANDWICH
    lemmas: ClassVar[Mapping[str, Origin]] = {
        "convexity": Origin.FAMILY,
        "lipschitz": Origin.FAMILY,
        "sandwich": Origin.FAMILY,
        "contraction": Origin.FAMILY,
        "contraction_H": Origin.OURS,
        "steps": Origin.FAMILY,
    }
