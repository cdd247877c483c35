"""Theorem 9.1's prediction of the number of steps, and the constants it is made of."""

from __future__ import annotations

from math import ceil, log

__all__ = ["CONTRACTION", "log10_lipschitz_recalled", "predicted_steps"]

#: The factor by which Lemma A.11 contracts the error a step.
CONTRACTION = 0.4


def predicted_steps(eps: float) -> int:
    """Return T = log(|x0 - x*| / |x_T - x*|) / log(1 / 0.4), rounded up, for a relative eps.

    Theorem 9.1 states T = O(log(|x0 - x*| / eps)); the factor 0.4 a step of Lemma A.11 makes the
    constant explicit.
    """
    return max(0, ceil(log(1.0 / eps) / log(1.0 / CONTRACTION)))


def log10_lipschitz_recalled(n: int, R: float, log_beta: float) -> float:
    """Return log10 of M = beta^-2 n^1.5 exp(20 R^2), the Lipschitz constant of the Hessian.

    Recalled from the family of papers (Deng, Li and Song, 2023), where M = exp(O(R^2 + log n)) up
    to powers of 1 / beta; not quoted from this one. In logarithms, for M soon exceeds doubles.
    """
    return (-2.0 * log_beta + 1.5 * log(n) + 20.0 * R * R) / log(10.0)
