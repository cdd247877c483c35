"""How many rows a matrix Chernoff bound proves to be enough for Lemma A.8."""

from __future__ import annotations

from math import ceil, log, sqrt

__all__ = ["proven_eps0", "proven_rows"]


def proven_rows(d: int, eps0: float, delta: float) -> int:
    """Return s = (2 + 2 eps0 / 3) eps0^-2 d log(2 d / delta), rounded up.

    So many rows drawn by exact leverage scores keep A^T D A within eps0 with probability
    1 - delta at least, whatever A and D > 0 are.

    Notes
    -----
    Let q_i be the rows of D^1/2 A (A^T D A)^-1/2: they have |q_i|^2 = tau_i, the leverage scores,
    sum_i q_i q_i^T = I, and sum_i tau_i = d. Rows are drawn with p_i = tau_i / d.

    *With replacement*, the sample is the sum of s independent X_k = q_i q_i^T / (s p_i), with
    expectation I and |X_k| = tau_i / (s p_i) = d / s =: L.

    *Independently*, row i is kept with probability pi_i = min(1, s p_i) and weighted by its
    inverse. Where pi_i < 1, its summand is at most tau_i / (s p_i) = L. Where pi_i = 1, it is no
    random matrix: it may be written as a sum of as many constant ones as it takes for each to be
    at most L, which are independent of everything. The expectation of all is I again.

    In both cases the matrix Chernoff bounds (Tropp, User-friendly tail bounds for sums of random
    matrices, 2012, Theorem 1.1) give for the sample's whitened Gram matrix Y

        P(lambda_max(Y) >= 1 + eps0) <= d exp(-((1 + eps0) log(1 + eps0) - eps0) / L),
        P(lambda_min(Y) <= 1 - eps0) <= d exp(-(eps0 + (1 - eps0) log(1 - eps0)) / L),

    and both exponents are at least eps0^2 / (2 + 2 eps0 / 3) over L. The sum of the two is at most
    2 d exp(-eps0^2 s / (d (2 + 2 eps0 / 3))), which is delta for the s above. Of a matrix of lower
    rank, d stands for the rank. Estimated scores with p_i >= gamma tau_i / d need s / gamma rows.
    """
    return ceil((2.0 + 2.0 * eps0 / 3.0) * d * log(2.0 * d / delta) / eps0**2)


def proven_eps0(rows: float, d: float, delta: float) -> float:
    """Return the eps0 that so many rows are proven to keep: :func:`proven_rows` solved for it."""
    a = 2.0 * d * log(2.0 * d / delta) / rows
    return (a / 3.0 + sqrt(a * a / 9.0 + 4.0 * a)) / 2.0
