"""The regularisation weights w, by the rules a study compares."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, sqrt

from softres.common.errors import InputError
from softres.problems import Problem

__all__ = ["WeightOptions", "squared_weight", "weight"]

RULES = ("relative", "theorem", "absolute", "none")


@dataclass(frozen=True)
class WeightOptions:
    """How w^2, the same for every row, is chosen.

    Attributes
    ----------
    name
        ``"relative"``: ``value`` times the largest v^2 / alpha^2 at x0, so that the regularisation
        and the data term are comparable whatever n is. ``"theorem"``: C + l / sigma_min(A)^2,
        which Theorem 9.1 asks for and which leaves nothing to solve. ``"absolute"``: ``value``.
        ``"none"``: 0.
    value
        The multiple (relative) or w^2 itself (absolute).
    constant
        C of the theorem. Recalled from the family of papers, where it lies between 4 and 200.
    l
        The strong convexity the theorem is asked to guarantee, H >= l I.
    """

    name: str = "relative"
    value: float = 1e-2
    constant: float = 100.0
    l: float = 1.0  # noqa: E741 - the paper's letter

    def __post_init__(self) -> None:
        if self.name not in RULES:
            raise InputError(f"weights.name={self.name}: allowed are {', '.join(RULES)}")
        if not 0 <= self.value < inf:
            raise InputError(f"weights.value={self.value}: allowed is a finite number >= 0")
        for key in ("constant", "l"):
            if not 0 < getattr(self, key) < inf:
                raise InputError(
                    f"weights.{key}={getattr(self, key)}: allowed is a finite number > 0"
                )


def squared_weight(options: WeightOptions, problem: Problem, sigma_min: float) -> float:
    """Return w^2 for an unregularised problem over A.

    Parameters
    ----------
    options
        The rule.
    problem
        The problem without weights, for the relative rule.
    sigma_min
        The smallest nonzero singular value of A, for the theorem's rule.
    """
    if options.name == "relative":
        start = problem.at(problem.start())
        return options.value * float(start.gauss_newton_diagonal.max())
    if options.name == "theorem":
        if sigma_min <= 0:
            raise InputError("weights=theorem: A is zero, so l / sigma_min(A)^2 is not defined")
        return options.constant + options.l / sigma_min**2
    return options.value if options.name == "absolute" else 0.0


def weight(options: WeightOptions, problem: Problem, sigma_min: float) -> float:
    """Return w, the root of :func:`squared_weight`."""
    return sqrt(squared_weight(options, problem, sigma_min))
