"""The Lipschitz constant M of the Hessian near a minimiser: proven here, or recalled.

A measured M is a lower bound of the true one: a start within 0.1 l / M of it may lie outside the
lemma's ball. This M is an upper bound (:mod:`softres.theory.lipschitz`), so that a start within
0.1 l / M of it lies inside for certain, and what fails from there is a counterexample.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, isfinite, sqrt
from typing import Any

import numpy as np

from softres.problems import Problem
from softres.theory.bounds import Region
from softres.theory.lipschitz import hessian_lipschitz
from softres.theory.predictions import log10_lipschitz_recalled

__all__ = ["ProvenBalls", "log10_recalled"]

#: The theorem asks for R >= 4 (recalled): an A of smaller norm is read with this R.
LEAST_R = 4.0

#: Halvings of the interval of log10 radii, and its ends: from far below to far above any radius.
HALVINGS, LOWEST, HIGHEST = 60, -60.0, 6.0


@dataclass(frozen=True)
class ProvenBalls:
    """Proven constants of the Hessian of soft-residual regression over balls around 0.

    Attributes
    ----------
    n
        Rows of A.
    rows, drift, norm
        max_i |a_i|, |A^T 1| and |A|_2.
    """

    n: int
    rows: float
    drift: float
    norm: float

    @classmethod
    def of(cls, problem: Problem) -> ProvenBalls | None:
        """Return those of a problem; ``None`` where the derivation does not cover it.

        It covers f = u / <u, 1> with u = exp(z) + z, b >= 0 and sum(b) <= 1, whatever w is.
        """
        if problem.name != "softres":
            return None
        matrix = problem.matrix
        ones = np.ones(matrix.shape[0])
        rows = sqrt(float(np.max(matrix.squared_row_norms())))
        drift = float(np.linalg.norm(matrix.rmatmul(ones)))
        norm = sqrt(float(np.linalg.eigvalsh(matrix.gram(ones))[-1]))
        return cls(matrix.shape[0], rows, drift, norm)

    def lipschitz(self, radius: float) -> float:
        """Return M with |H(x) - H(y)| <= M |x - y| for |x|, |y| <= radius; inf where none is known.

        alpha >= n + 2 sum(z) >= n - 2 drift radius without any assumption; where that is not
        positive, nothing is proven.
        """
        drift = self.drift * radius
        if self.n - 2.0 * drift <= 0:
            return inf
        region = Region(self.n, self.rows * radius, self.norm * radius, drift, 0.0)
        try:
            M = hessian_lipschitz(region, self.norm)["H"]
        except OverflowError:
            return inf
        return M if isfinite(M) else inf

    def reach(self, x: Any, l: float, share: float) -> float:  # noqa: E741 - the paper's letter
        """Return the largest r with M r <= share l for the M of the ball of radius |x| + r.

        Parameters
        ----------
        x
            x*, shape (d,).
        l
            The smallest eigenvalue of the Hessian there.
        share
            0.1 for the lemma's start.

        Returns
        -------
        0 where no such r is proven.
        """
        size = float(np.linalg.norm(x))

        def fits(log_r: float) -> bool:
            r: float = 10.0**log_r
            return self.lipschitz(size + r) * r <= share * l

        low, high = LOWEST, HIGHEST
        if not fits(low):
            return 0.0
        for _ in range(HALVINGS):  # M grows with the ball: one change from fitting to not
            middle = 0.5 * (low + high)
            low, high = (middle, high) if fits(middle) else (low, middle)
        return float(10.0**low)


def log10_recalled(n: int, R: float, log_alpha: float) -> float:
    """Return log10 of the recalled M, read with an R that the theorem allows.

    Parameters
    ----------
    n
        Rows of A.
    R
        Bounds |A| and |x|.
    log_alpha
        log(alpha), where it is least.
    """
    return log10_lipschitz_recalled(n, max(R, LEAST_R), log_alpha)
