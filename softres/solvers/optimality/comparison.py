"""Comparing curvatures in z: what holds there holds for the Hessians, whatever A is."""

from __future__ import annotations

from typing import Any

import numpy as np

from softres.matrices.backends import as_numpy
from softres.problems.curvature import Curvature

__all__ = ["exceeds", "semidefinite"]

#: Least eigenvalue, of the identity plus a matrix of low rank, that is positive beyond rounding.
POSITIVE = 1e-6


def semidefinite(curvature: Curvature) -> bool:
    """Whether a curvature in z is positive semidefinite; sufficient, not necessary."""
    return exceeds(curvature, None, 0.0)


def exceeds(curvature: Curvature, other: Curvature | None, share: float) -> bool:
    """Whether B - share B' is positive semidefinite for two curvatures; sufficient, not necessary.

    A diagonal, or blocks on it, E = D - share D' plus a matrix of rank four, U S U^T. Where E is
    positive the whole has the signs of I + E^-1/2 U S U^T E^-1/2, whose eigenvalues other than one
    are those of I + G^1/2 S G^1/2 with the 4 x 4 matrix G = U^T E^-1 U. Takes no pass over A.
    """
    sides: list[Any] = []
    weights: list[float] = []
    for part, weight in ((curvature, 1.0), (other, -share)):
        if part is not None and part.v is not None and part.h is not None:
            sides += [part.v, part.h]
            weights.append(weight)
    scaled = curvature.whiten(sides, other, share)
    if scaled is None:
        return False
    if not sides:
        return True
    G = as_numpy(scaled @ scaled.T).astype(np.float64)
    if not np.isfinite(G).all():
        return False
    S = np.zeros_like(G)
    for k, weight in enumerate(weights):
        S[2 * k, 2 * k + 1] = S[2 * k + 1, 2 * k] = weight
    values, vectors = np.linalg.eigh(G)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    return bool(1.0 + np.linalg.eigvalsh(root.T @ S @ root)[0] > POSITIVE)
