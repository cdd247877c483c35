"""Stacks of small matrices, shape (k, d, d): factored and inverted together."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from softres.common.arrays import array_namespace, is_torch
from softres.matrices.backends import as_numpy

__all__ = ["Inverses", "invert"]


class Inverses(NamedTuple):
    """The inverses of those of a stack that are positive definite.

    Attributes
    ----------
    inverse
        Shape (k, d, d); the identity where there is none.
    definite
        Whether each was beyond rounding, shape (k,), on the host.
    smallest
        Lower bounds of the smallest eigenvalues, with the largest diagonal entry one, shape (k,),
        on the host.
    """

    inverse: Any
    definite: npt.NDArray[np.bool_]
    smallest: npt.NDArray[np.float64]


def invert(H: Any, scale: Any, noise: Any) -> Inverses:
    """Invert symmetric matrices that are positive definite beyond rounding.

    Parameters
    ----------
    H
        Shape (k, d, d).
    scale
        Norms of the columns of each A, shape (k, d).
    noise
        Eigenvalues of each H with its columns scaled, up to which they count as zero, shape (k,).
    """
    xp = array_namespace(H)
    scaled = H / (scale[:, :, None] * scale[:, None, :])
    top = xp.max(xp.linalg.diagonal(scaled), axis=1)
    there = as_numpy((top > noise) & xp.all(xp.isfinite(scaled), axis=(1, 2)))
    eye = xp.eye(H.shape[1], dtype=H.dtype, device=H.device)
    scaled = scaled / xp.where(top > noise, top, xp.ones_like(top))[:, None, None]
    if not there.all():
        scaled[xp.asarray(~there, device=H.device)] = eye
    floor = as_numpy(noise / xp.where(top > noise, top, xp.ones_like(top)))
    definite = there & (_least_pivots(scaled) > floor)
    if not definite.all():
        scaled[xp.asarray(~definite, device=H.device)] = eye
    inverse = xp.linalg.inv(scaled)
    # |H^-1| in the norm of Frobenius is at least one over the smallest eigenvalue.
    smallest = as_numpy(1.0 / xp.sqrt(xp.sum(inverse * inverse, axis=(1, 2))))
    definite &= smallest > floor
    inverse = inverse / (scale[:, :, None] * scale[:, None, :] * top[:, None, None])
    if not definite.all():
        inverse[xp.asarray(~definite, device=H.device)] = eye
    return Inverses(inverse, definite, smallest)


def _least_pivots(scaled: Any) -> npt.NDArray[np.float64]:
    """Return the least pivot of each matrix, or less than 0, shape (k,), on the host.

    It is no smaller than the smallest eigenvalue.
    """
    if is_torch(scaled):
        import torch

        lower, failed = torch.linalg.cholesky_ex(scaled)
        least = lower.diagonal(dim1=1, dim2=2).amin(dim=1) ** 2
        return as_numpy(torch.where(failed == 0, least, -1.0))
    try:
        lower = np.linalg.cholesky(scaled)
    except np.linalg.LinAlgError:  # of one; NumPy does not say which
        return _pivots(scaled)
    least_pivots: npt.NDArray[np.float64] = lower.diagonal(axis1=1, axis2=2).min(axis=1) ** 2
    return least_pivots


def _pivots(scaled: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the least pivots by columns of all at once; from the first negative one on, that."""
    lower, least = np.zeros_like(scaled), np.ones(len(scaled))
    for j in range(scaled.shape[1]):
        known = lower[:, j:, :j] @ lower[:, j, :j, None]
        column = scaled[:, j:, j] - known[:, :, 0]
        least = np.where(least > 0, np.minimum(least, column[:, 0]), least)
        lower[:, j:, j] = column / np.sqrt(np.where(least > 0, column[:, 0], 1.0))[:, None]
    return least
