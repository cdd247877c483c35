"""The w^2 of the sandwich 9/10 (B + W^2) <= W^2 <= 11/10 (B + W^2): needed, and stated.

B is the curvature without weights, diagonal and rank-two part together, and W^2 = w^2 I. The first
inequality is 9 B <= w^2 I and the second -11 B <= w^2 I, so that at a point

    the smallest w^2 = max(9 lambda_max(B), -11 lambda_min(B)).
"""

from __future__ import annotations

from math import exp

from softres.problems.evaluation import Evaluation
from softres.theory.curvature_bounds import extreme_eigenvalues

__all__ = ["LOWER", "UPPER", "needed", "stated"]

#: 9/10 (B + W^2) <= W^2 is UPPER B <= W^2, and W^2 <= 11/10 (B + W^2) is -LOWER B <= W^2.
UPPER, LOWER = 9.0, 11.0


def stated(R: float, sigma_min: float, l: float) -> float:  # noqa: E741
    """Return the family's w^2 = 200 exp(R^2) + l / sigma_min^2."""
    return 200.0 * exp(R * R) + l / sigma_min**2


def needed(point: Evaluation) -> float:
    """Return the smallest w^2 of the sandwich at a point; the problem's own weights are left out.

    They have to be the same for every row.
    """
    low, high = extreme_eigenvalues(point.curvature)
    w2 = float(point.problem.w2.max())
    return max(UPPER * (high - w2), -LOWER * (low - w2))
