r"""Lemma 7.1: two-sided bounds on the parts of the curvature, and the weight that makes H >= l I.

With p = v / alpha, g = exp(z) / alpha and t = alpha q = c - <f,c> 1, the split of Definition 5.1 is

* B1 = F^T F, F = diag(p) - f p^T. A Gram matrix, so B1 >= 0, and B1 <= |F|^2 with
  |F| <= min(max p + |f||p|, sqrt(n) |f| max p), for F = (I - f 1^T) diag(p) and I - f 1^T is a
  projection of norm sqrt(n) |f|.
* B2 = diag(t * g), so -|t|_inf max g <= B2 <= |t|_inf max g.
* B3 = -(r p^T + p r^T), r = p * t. Its two eigenvalues are -<r,p> -+ |r||p|. As
  |<r,p>| <= |r||p| <= |t|_inf |p|^2, both lie within 2 |t|_inf |p|^2 of 0.
* B = B1 + B2 + B3 + W^2. B1 >= 0 leaves B >= min w^2 - K with K = |t|_inf (max g + 2 |p|^2), and
  B <= max w^2 + |F|^2 + K.

Hence H = A^T B A >= (min w^2 - K) sigma_min(A)^2 I: w^2 >= K + l / sigma_min^2 is enough for
H >= l I. Worst-case figures of max p, |f| and the others are those of
:class:`~softres.theory.bounds.Region`: |A|, |x| <= R, alpha >= beta, b >= 0 and sum(b) <= 1.
"""

from __future__ import annotations

from math import sqrt
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.linalg import eigh

from softres.problems.curvature import Curvature
from softres.theory.bounds import Region

__all__ = [
    "PARTS",
    "curvature_bounds",
    "extreme_eigenvalues",
    "smallest_weight",
    "sufficient_weight",
]

#: Halvings of the interval that an extreme eigenvalue lies in.
HALVINGS = 60

#: What Lemma 7.1 bounds: B1 from above (it is >= 0), B2 and B3 on both sides, B from below.
PARTS = ("B1", "B2", "B3", "-B")


def curvature_bounds(region: Region) -> dict[str, float]:
    """Return bounds on |B1|, |B2|, |B3| and on -lambda_min(B - W^2), by the names of `PARTS`."""
    r = region
    F = min(r.p_max + r.f * r.p, sqrt(r.n) * r.f * r.p_max)
    second = r.residual_max * r.g_max
    third = 2.0 * r.residual_max * r.p**2
    return dict(zip(PARTS, (F * F, second, third, second + third), strict=True))


def sufficient_weight(lowest: float, sigma_min: float, l: float) -> float:  # noqa: E741
    """Return a w^2 with which H >= l I for certain: -lowest + l / sigma_min^2.

    Parameters
    ----------
    lowest
        A lower bound of the eigenvalues of B - W^2, or of its pencil with A (see
        :func:`smallest_weight`).
    sigma_min
        Smallest singular value of A.
    l
        Strong convexity asked for.
    """
    return -lowest + l / sigma_min**2


def smallest_weight(
    A: npt.NDArray[np.float64],
    bare: npt.NDArray[np.float64],
    l: float,  # noqa: E741
) -> tuple[float, float]:
    """Return the smallest w^2 with H >= l I at a point, and the lowest eigenvalue of its pencil.

    Parameters
    ----------
    A
        Shape (n, d), of full column rank.
    bare
        A^T (B - W^2) A, shape (d, d): the Hessian without weights.
    l
        Strong convexity asked for.

    Notes
    -----
    bare + w^2 A^T A >= l I exactly when w^2 >= -lambda_min(bare - l I, A^T A), a generalised
    eigenvalue problem. The second figure is lambda_min(bare, A^T A), which enters
    :func:`sufficient_weight`; it can be negative only where the loss is not convex.
    """
    gram = A.T @ A
    d = len(gram)

    def lowest(matrix: Any) -> float:
        return float(eigh(matrix, gram, eigvals_only=True, subset_by_index=[0, 0])[0])

    return max(0.0, -lowest(bare - l * np.eye(d))), lowest(bare)


def extreme_eigenvalues(curvature: Curvature) -> tuple[float, float]:
    """Return the least and the largest eigenvalue of a curvature in z, on the host.

    Notes
    -----
    By bisection on how many eigenvalues lie below t. For B = diag(D) + U S U^T with U = (v, h) and
    S = S^-1 the exchange of the two, the inertia of [[D - t, U], [U^T, -S]], counted by either
    Schur complement, says that this many do: the entries of D below t, plus the negative
    eigenvalues of the 2 x 2 matrix -S - U^T (D - t)^-1 U, less the one of -S. O(n) each time.
    """
    D, v, h = curvature.diagonal, curvature.v, curvature.h
    if v is None or h is None:
        return float(D.min()), float(D.max())
    n, inner, size = len(D), float(v @ h), float(np.linalg.norm(v) * np.linalg.norm(h))
    low, high = float(D.min()) + inner - size, float(D.max()) + inner + size
    U, S = np.stack([v, h]), np.array([[0.0, 1.0], [1.0, 0.0]])

    def below(t: float) -> int:
        gap = D - t
        schur = np.linalg.eigvalsh(-S - (U / gap) @ U.T)
        return int((gap < 0).sum()) + int((schur < 0).sum()) - 1

    def least_with(count: int) -> float:
        """Return the least t that this many eigenvalues lie below."""
        left, right = low, high
        for _ in range(HALVINGS):
            middle = 0.5 * (left + right)
            left, right = (left, middle) if below(middle) >= count else (middle, right)
        return right

    with np.errstate(divide="ignore", invalid="ignore"):
        return least_with(1), least_with(n)
