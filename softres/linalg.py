"""Factors of d x d symmetric matrices, for NumPy arrays and torch tensors alike."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from array_api_compat import array_namespace, is_torch_array
from scipy import linalg

__all__ = ["CholeskyFactor", "Factor", "SpectralFactor", "cholesky", "spectral"]


class Factor(Protocol):
    """A symmetric positive (semi)definite matrix that can be solved with."""

    def solve(self, y: Any) -> Any:
        """Return the solution for a right-hand side of shape (d,)."""
        ...


class CholeskyFactor:
    """S L L^T S = H, with S the square roots of H's diagonal."""

    def __init__(self, lower: Any, scale: Any) -> None:
        self.lower = lower
        self.scale = scale

    def solve(self, y: Any) -> Any:
        """Return H^-1 y for y of shape (d,)."""
        y = y / self.scale
        if is_torch_array(y):
            import torch

            return torch.cholesky_solve(y[:, None], self.lower)[:, 0] / self.scale
        return linalg.cho_solve((self.lower, True), y, check_finite=False) / self.scale


class SpectralFactor:
    """|H|, the matrix with the eigenvectors of H and the absolute values of its eigenvalues.

    Eigenvalues within rounding of zero count as zero, and solutions have no component along their
    eigenvectors: for a singular H the solution is the one of least norm.

    Attributes
    ----------
    values
        Eigenvalues of H in ascending order, shape (d,), sign kept.
    negative
        How many are negative beyond rounding.
    rank
        How many differ from zero beyond rounding.
    smallest
        The least of those, sign kept; 0 where there is none.
    """

    def __init__(self, values: Any, vectors: Any) -> None:
        xp = array_namespace(values)
        self.values = values
        self.vectors = vectors
        magnitude = xp.abs(values)
        tolerance = values.shape[0] * float(xp.finfo(values.dtype).eps) * float(xp.max(magnitude))
        kept = magnitude > tolerance
        self.negative = int(xp.sum(xp.astype(values < -tolerance, xp.int64)))
        self.rank = int(xp.sum(xp.astype(kept, xp.int64)))
        self.smallest = float(xp.min(values[kept])) if self.rank > 0 else 0.0
        safe = xp.where(kept, magnitude, xp.ones_like(magnitude))
        self._inverse = xp.where(kept, 1.0 / safe, xp.zeros_like(magnitude))

    def solve(self, y: Any) -> Any:
        """Return |H|^+ y for y of shape (d,)."""
        return self.vectors @ (self._inverse * (self.vectors.T @ y))


def cholesky(H: Any) -> CholeskyFactor | None:
    """Factor a symmetric H, or return ``None`` where it is not positive definite to rounding.

    H is scaled to a unit diagonal first, so that columns of A on different scales do not matter.
    """
    xp = array_namespace(H)
    diagonal = xp.linalg.diagonal(H)
    if not (bool(xp.all(diagonal > 0)) and bool(xp.all(xp.isfinite(diagonal)))):
        return None
    scale = xp.sqrt(diagonal)
    scaled = H / scale[:, None] / scale[None, :]
    if is_torch_array(H):
        import torch

        lower, info = torch.linalg.cholesky_ex(scaled)
        if int(info) != 0:
            return None
    else:
        # (lower, overwrite, clean): a Fortran-ordered view of a symmetric matrix saves a copy.
        lower, info = linalg.lapack.dpotrf(
            scaled.T if scaled.dtype == np.float64 else scaled.T.astype(np.float64),
            lower=1,
            clean=1,
            overwrite_a=1,
        )
        if info != 0:
            return None
    # A pivot at the level of rounding means that H is singular as far as doubles can tell.
    pivots = xp.linalg.diagonal(lower)
    floor = H.shape[0] * float(xp.finfo(H.dtype).eps)
    if float(xp.min(pivots)) ** 2 <= floor:
        return None
    return CholeskyFactor(lower, scale)


def spectral(H: Any) -> SpectralFactor | None:
    """Return the eigendecomposition of a symmetric H as a factor, or ``None`` where it fails."""
    xp = array_namespace(H)
    if not bool(xp.all(xp.isfinite(H))):
        return None
    try:
        values, vectors = xp.linalg.eigh(H)
    except Exception as error:  # NumPy and torch raise different classes of the same name
        if type(error).__name__ in {"LinAlgError", "_LinAlgError"}:
            return None
        raise
    return SpectralFactor(values, vectors)
