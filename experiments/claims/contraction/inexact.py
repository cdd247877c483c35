"""Hessians that are off by a known spectral error: made as bad as it allows, or drawn.

How many rows make a drawn one good enough, by what can be proven. Let y_i = sqrt(D_i) a_i W be the
whitened rows, sum_i y_i y_i^T = I and tau_i = |y_i|^2 their leverage scores. Row i is kept with
probability q_i = min(1, s p_i), p_i proportional to estimated scores, and weighted by 1 / q_i. Say
the estimates are off by a factor of at most kappa downwards, p_i >= tau_i / (kappa d). Then every
term has norm at most L = kappa d / s (one with q_i = 1 is no random variable, and counts as many
small ones), the terms are independent, and their expectations add up to I. The matrix Chernoff
bound (Tropp, 2012, Theorem 1.1) gives

    P(lambda_max >= 1 + eps) <= d exp(-((1 + eps) ln(1 + eps) - eps) / L)
    P(lambda_min <= 1 - eps) <= d exp(-(eps + (1 - eps) ln(1 - eps)) / L)

With (1 + eps) ln(1 + eps) - eps >= eps^2 / (2 + 2 eps / 3) and eps + (1 - eps) ln(1 - eps) >=
eps^2 / 2, both are at most delta / 2 for

    s = kappa (2 + 2 eps / 3) eps^-2 d ln(2 d / delta)

which is the C of Lemma A.8 for log(2 d / delta), C = 2.05 kappa at eps = 0.08. kappa is taken from
the exact scores: a measurement may know them, an algorithm would have to bound it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil, log
from typing import Any

import numpy as np
import numpy.typing as npt

from softres.problems.evaluation import Evaluation
from softres.sketching import approximate_scores, exact_scores, sample_rows

__all__ = ["PERTURBATIONS", "Inexact", "inexact_hessian", "perturbation_grid", "proven_size"]

Vector = npt.NDArray[np.float64]
Matrix = npt.NDArray[np.float64]

#: How the Hessian is off. ``reflect`` turns the error that is left towards the softest direction
#: and ``shrink`` overshoots as far as the band allows: the worst for the Euclidean and for the
#: H-norm. ``sampled`` is drawn as Algorithm 1 does, with as many rows as are proven to be enough.
PERTURBATIONS = ("reflect", "shrink", "sampled")


def proven_size(d: int, eps0: float, delta: float, kappa: float) -> int:
    """Return rows s that give the spectral error eps0 with probability 1 - delta: see above.

    Parameters
    ----------
    kappa
        The largest tau_i / (d p_i): 1 for exact scores.
    """
    return ceil(kappa * (2.0 + 2.0 * eps0 / 3.0) * d * log(2.0 * d / delta) / eps0**2)


@dataclass(frozen=True)
class Inexact:
    """A Hessian that is off.

    Attributes
    ----------
    matrix
        H~, shape (d, d).
    error
        The spectral error it has: the least eps with (1 - eps) H <= H~ <= (1 + eps) H.
    diagonal
        D~, shape (n,), with H~ = A^T (D~ + v h^T + h v^T) A.
    ratio
        The smallest entry of D~ / D.
    positive
        Whether no entry of D or D~ is negative: H~ is then what Definition A.9 allows.
    """

    matrix: Matrix
    error: float
    diagonal: Vector
    ratio: float
    positive: bool

    def within(self, eps0: float) -> bool:
        """Whether H~ is off by eps0 at most, up to rounding."""
        return self.error <= eps0 * (1 + 1e-9)


def inexact_hessian(
    kind: str,
    point: Evaluation,
    away: Vector,
    eps0: float,
    rng: np.random.Generator,
    delta: float,
) -> Inexact:
    """Return a Hessian at a point that is off by eps0, one of :data:`PERTURBATIONS`.

    Parameters
    ----------
    away
        The point less x*, shape (d,).
    delta
        How often a ``"sampled"`` one may be further off.
    """
    H = np.asarray(point.hessian())
    values, vectors = np.linalg.eigh(H)
    root = (vectors * np.sqrt(values)) @ vectors.T
    whiten = (vectors / np.sqrt(values)) @ vectors.T
    if kind == "sampled":
        matrix, diagonal = _sampled(point, eps0, rng, delta)
        error = float(np.abs(np.linalg.eigvalsh(whiten @ (matrix - H) @ whiten)).max())
    else:
        shift = -np.eye(len(H)) if kind == "shrink" else _reflection(root @ away, vectors[:, 0])
        matrix = H + eps0 * root @ shift @ root
        diagonal = _diagonal_for(point, whiten, eps0 * shift)
        error = eps0
    D = np.asarray(point.curvature.diagonal)
    positive = bool(D.min() > 0 and diagonal.min() >= 0)
    return Inexact(matrix, error, diagonal, float((diagonal / D).min()), positive)


def _reflection(start: Vector, end: Vector) -> Matrix:
    """Return the symmetric orthogonal matrix that swaps the directions of two vectors."""
    u = start / np.linalg.norm(start) - end
    size = float(u @ u)
    identity = np.eye(len(end))
    return identity if size < 1e-20 else identity - (2.0 / size) * np.outer(u, u)


def _diagonal_for(point: Evaluation, whiten: Matrix, shift: Matrix) -> Vector:
    """Return a D~ near D with whiten A^T (D~ - D) A whiten = shift.

    So the worst Hessian in the band is not only a matrix: it is one that a reweighting of rows,
    all that Lemma A.8 speaks of, can make. The factor on a row depends on its direction alone,
    which keeps long rows from carrying all of the change.
    """
    D = np.asarray(point.curvature.diagonal)
    rows = np.ascontiguousarray(point.problem.matrix.matmul(whiten).T)  # long rows, few of them
    sizes = (rows * rows).sum(axis=0)
    unit = rows / np.sqrt(np.maximum(sizes, np.finfo(float).tiny))
    upper = np.triu_indices(len(rows))
    directions = unit[upper[0]] * unit[upper[1]]
    system = (directions * (D * sizes)) @ directions.T
    change = np.linalg.lstsq(system, shift[upper], rcond=None)[0] @ directions
    return np.asarray(D * (1.0 + change))


def _sampled(
    point: Evaluation, eps0: float, rng: np.random.Generator, delta: float
) -> tuple[Matrix, Vector]:
    matrix, D = point.problem.matrix, point.curvature.diagonal
    scale = np.sqrt(np.abs(D))
    scores = approximate_scores(matrix, scale, rng)
    d = matrix.shape[1]
    used = scores > 0
    wanted = exact_scores(matrix, scale)[used] / scores[used]
    kappa = float(wanted.max() * scores.sum()) / d
    sample = sample_rows(scores, proven_size(d, eps0, delta, kappa), rng)
    diagonal = np.zeros_like(D)
    diagonal[sample.index] = D[sample.index] * sample.weight
    return np.asarray(point.curvature.hessian(matrix, sample.gram(matrix, D))), diagonal


def perturbation_grid(eps0s: Any, kinds: Any = PERTURBATIONS) -> Iterator[tuple[float, str]]:
    """Return every eps0 with every kind of error."""
    for eps0 in eps0s:
        for kind in kinds:
            yield float(eps0), str(kind)
