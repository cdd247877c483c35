"""Constants that the family of papers states, as far as they could be confirmed.

From the appendix of arXiv 2306.14048 (2023, some of the same authors), which has the results of
softmax regression (arXiv 2304.10411) with their formulas. That is exp(z) in place of exp(z) + z;
here they are tried on soft-residual regression. What else is remembered of the family is called
recalled, wherever it is printed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import e, log10

__all__ = ["EXP_LIPSCHITZ", "EXP_NORM", "HESSIAN_LIPSCHITZ", "Stated"]

_LOG10_E = log10(e)


@dataclass(frozen=True)
class Stated:
    """A bound that is stated.

    Attributes
    ----------
    part
        The figure that it bounds, by its name in the table of a measurement.
    statement
        In one line.
    log10_bound
        Of n and R.
    """

    part: str
    statement: str
    log10_bound: Callable[[float, float], float]


EXP_NORM = Stated(
    "exp",
    "|exp(Ax)|_inf <= exp(R^2), by what follows from it: |exp(Ax)| <= sqrt(n) exp(R^2)",
    lambda n, R: 0.5 * log10(n) + R * R * _LOG10_E,
)
EXP_LIPSCHITZ = Stated(
    "exp",
    "exp(Ax) is Lipschitz with 2 sqrt(n) R exp(R^2)",
    lambda n, R: log10(2.0 * R) + 0.5 * log10(n) + R * R * _LOG10_E,
)
HESSIAN_LIPSCHITZ = Stated(
    "H",
    "the Hessian is Lipschitz with M = n^2 exp(40 R^2), stated for softmax regression",
    lambda n, R: 2.0 * log10(n) + 40.0 * R * R * _LOG10_E,
)
