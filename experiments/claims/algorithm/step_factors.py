"""What one step near x* does to the error at worst, over all of its directions."""

from __future__ import annotations

from math import inf

import numpy as np
import numpy.typing as npt

__all__ = ["step_factors"]

Matrix = npt.NDArray[np.float64]


def step_factors(used: Matrix, H: Matrix) -> tuple[float, float]:
    """Return |I - H~^-1 H| in the H-norm and in l2; infinite where H~ is not definite.

    Parameters
    ----------
    used, H
        H~ and the Hessian, which is positive definite, shape (d, d).
    """
    scale = np.sqrt(np.diagonal(H))
    root = np.linalg.cholesky(H / scale / scale[:, None]).T * scale  # root^T root = H
    inverse = np.linalg.inv(root)
    near = inverse.T @ used @ inverse
    values, vectors = np.linalg.eigh(0.5 * (near + near.T))
    if not values[0] > 0:
        return inf, inf
    change = np.eye(len(values)) - (vectors / values) @ vectors.T
    in_H = float(np.abs(1.0 - 1.0 / values).max())
    return in_H, float(np.linalg.norm(inverse @ change @ root, 2))
