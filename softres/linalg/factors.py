"""Factors of d x d symmetric matrices, for NumPy arrays and torch tensors alike."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from math import inf, isfinite, sqrt
from typing import Any

import numpy as np
import numpy.typing as npt
from array_api_compat import device
from scipy import linalg

from softres.common.arrays import array_namespace, is_torch, stays
from softres.common.reading import Number, Reading, scalar

__all__ = ["CholeskyFactor", "SpectralFactor", "cholesky", "spectral"]


_POTRF = {"d": linalg.lapack.dpotrf, "f": linalg.lapack.spotrf}
_POTRS = {"d": linalg.lapack.dpotrs, "f": linalg.lapack.spotrs}


#: Least cosine, times sqrt(d), of a vector without structure with a given one: one in a million
#: such vectors has less.
OVERLAP = 1e-6
#: Most steps of inverse iteration.
INVERSE_STEPS = 4


@lru_cache(maxsize=8)
def _without_structure(d: int) -> npt.NDArray[np.float64]:
    """Return a fixed vector of normal deviates, of length one."""
    deviates = np.random.default_rng(0).standard_normal(d)
    unit: npt.NDArray[np.float64] = deviates / np.linalg.norm(deviates)
    return unit


class CholeskyFactor:
    """S L L^T S = H, with S a diagonal scale."""

    def __init__(self, lower: Any, scale: Any) -> None:
        self.lower = lower
        self.scale = scale

    def solve(self, y: Any) -> Any:
        """Return H^-1 y for y of shape (d,) or (d, k)."""
        scale = self.scale if y.ndim == 1 else self.scale[:, None]
        return self.solve_scaled(y / scale) / scale

    def whitened(self, y: Any) -> tuple[Any, Any]:
        """Return W y and H W y for y of shape (d,), with W = S^-1 L^-T, so that W W^T = H^-1."""
        if is_torch(y):
            import torch

            root = torch.linalg.solve_triangular(self.lower.mT, y[:, None], upper=True)[:, 0]
        else:
            root = linalg.solve_triangular(self.lower, y, lower=True, trans="T")
        return root / self.scale, self.scale * (self.lower @ y)

    def solve_scaled(self, y: Any) -> Any:
        """Return (L L^T)^-1 y for y of shape (d,) or (d, k)."""
        if is_torch(y):
            import torch

            if y.ndim == 2:
                return torch.cholesky_solve(y, self.lower)
            return torch.cholesky_solve(y[:, None], self.lower)[:, 0]
        # LAPACK itself: SciPy's checks take longer than the solve of a small system.
        potrs = _POTRS[y.dtype.char]
        return potrs(self.lower, y, lower=1)[0]

    def smallest_eigenvalue(self, floor: float = 0.0) -> float:
        """Estimate the smallest eigenvalue of L L^T, whose largest entry is one, from above.

        At most four steps of inverse iteration from a fixed vector without structure: ample where
        the smallest eigenvalue stands far below the others, as a null vector's does. Fewer where
        it is known to exceed ``floor`` before: a unit vector q has |H^-k q| >= |<q, e>| / l^k for
        the eigenvector e of the smallest eigenvalue l.
        """
        return _smallest(self._squares(), self.lower.shape[0], floor)

    def ask_smallest_eigenvalue(self, reading: Reading, floor: float = 0.0) -> Number:
        """Ask for :meth:`smallest_eigenvalue`, along with what else is asked for.

        On a device all steps are taken before one is looked at.
        """
        if not stays(self.lower):
            known = self.smallest_eigenvalue(floor)
            return lambda: known
        squares = [reading.number(square) for square in self._squares()]
        return lambda: _smallest((square() for square in squares), self.lower.shape[0], floor)

    def _squares(self) -> Iterator[Any]:
        """Yield |q|^2 after each step of inverse iteration from a q of length one."""
        xp = array_namespace(self.lower)
        q = _without_structure(self.lower.shape[0])
        if is_torch(self.lower) or self.lower.dtype != q.dtype:
            q = xp.asarray(q, dtype=self.lower.dtype, device=device(self.lower))
        for _ in range(INVERSE_STEPS):
            q = self.solve_scaled(q)
            square = scalar(q @ q)
            yield square
            q = q / (sqrt(square) if isinstance(square, float) else square.sqrt())


def _smallest(squares: Iterable[float], d: int, floor: float) -> float:
    """Return the eigenvalue that these steps tell; 0 where they overflow."""
    value, above = inf, OVERLAP / sqrt(d)
    for square in squares:
        size = sqrt(square)
        if not isfinite(size):
            return 0.0
        value = 1.0 / size
        above *= value / floor if floor > 0 else 0.0
        if above > 1.0:
            break
    return value


class SpectralFactor:
    """|H|, the matrix with the eigenvectors of H and the absolute values of its eigenvalues.

    Eigenvalues within rounding of zero count as zero, and solutions have no component along their
    eigenvectors: for a singular H the solution is the one of least norm.

    All that with H's rows and columns scaled: a column on a small scale is not null for that.

    Attributes
    ----------
    values
        Eigenvalues of H itself in ascending order, shape (d,), sign kept.
    negative
        How many are negative beyond rounding.
    rank
        How many differ from zero beyond rounding.
    smallest
        The least of those, sign kept; 0 where there is none.
    downhill
        The direction of least curvature, shape (d,).
    """

    def __init__(self, H: Any, scale: Any) -> None:
        xp = array_namespace(H)
        scaled, self._vectors = xp.linalg.eigh(H / scale[:, None] / scale[None, :])
        self._scale = scale
        self.values = xp.linalg.eigvalsh(H)
        d = scaled.shape[0]
        magnitude = xp.abs(scaled)
        tolerance = d * float(xp.finfo(scaled.dtype).eps) * float(xp.max(magnitude))
        kept = magnitude > tolerance
        self.negative = int(xp.sum(xp.astype(scaled < -tolerance, xp.int64)))
        self.rank = int(xp.sum(xp.astype(kept, xp.int64)))
        least = 0 if self.negative else d - self.rank
        self.smallest = float(self.values[least]) if self.rank > 0 else 0.0
        self.downhill = self._vectors[:, 0] / scale
        safe = xp.where(kept, magnitude, xp.ones_like(magnitude))
        self._inverse = xp.where(kept, 1.0 / safe, xp.zeros_like(magnitude))

    def project(self, y: Any) -> Any:
        """Return a gradient y without what H sees nothing of, for y of shape (d,)."""
        xp = array_namespace(y)
        seen = xp.astype(self._inverse > 0, y.dtype)
        return self._scale * (self._vectors @ (seen * (self._vectors.T @ (y / self._scale))))

    def solve(self, y: Any) -> Any:
        """Return |H|^+ y for y of shape (d,)."""
        turned = self._inverse * (self._vectors.T @ (y / self._scale))
        return (self._vectors @ turned) / self._scale


def cholesky(H: Any, scale: Any | None = None, noise: float | None = None) -> CholeskyFactor | None:
    """Factor a symmetric H, or return ``None`` where it is not positive definite to rounding.

    H is scaled first, so that columns of A on different scales do not matter.

    Parameters
    ----------
    H
        Shape (d, d).
    scale
        Scale of each row and column, shape (d,), such as the norms of A's columns; default the
        roots of H's diagonal. That hides a null vector along a coordinate: a diagonal entry that
        is rounding looks as good as any.
    noise
        Eigenvalues of the scaled H, over its largest diagonal entry, up to this count as zero;
        default 10 d times the rounding unit.
    """
    xp = array_namespace(H)
    if noise is None:
        noise = 10.0 * H.shape[0] * float(xp.finfo(H.dtype).eps)
    if stays(H):
        return _cholesky_there(H, scale, noise)
    diagonal = H.diagonal()
    if not (float(diagonal.min()) > 0 and isfinite(float(diagonal.max()))):
        return None
    if scale is None:
        scale = xp.sqrt(diagonal)
    else:
        scale = scale * sqrt(float((diagonal / scale / scale).max()))
    scaled = H / scale[:, None]
    scaled /= scale[None, :]
    if is_torch(H):
        import torch

        lower, info = torch.linalg.cholesky_ex(scaled)
        if int(info) != 0:
            return None
    else:
        potrf = _POTRF[scaled.dtype.char]
        # The transpose of a symmetric matrix is itself, in the order that LAPACK works in place on.
        lower, info = potrf(scaled.T, lower=1, clean=1, overwrite_a=1)
        if info != 0:
            return None
    factor = CholeskyFactor(lower, scale)
    # The pivots of a singular matrix need not be small; the solution of a system with it is large.
    return factor if factor.smallest_eigenvalue(noise) > noise else None


def _cholesky_there(H: Any, scale: Any | None, noise: float) -> CholeskyFactor | None:
    """Factor a matrix on a device; whether that succeeded is read in one transfer."""
    import torch

    reading, diagonal = Reading(), H.diagonal()
    least, most = reading.number(diagonal.min()), reading.number(diagonal.max())
    scale = diagonal.sqrt() if scale is None else scale * (diagonal / scale / scale).max().sqrt()
    lower, info = torch.linalg.cholesky_ex(H / scale[:, None] / scale[None, :])
    failed = reading.number(info)
    factor = CholeskyFactor(lower, scale)
    smallest = factor.ask_smallest_eigenvalue(reading, noise)
    definite = least() > 0 and isfinite(most()) and failed() == 0
    return factor if definite and smallest() > noise else None


def spectral(H: Any, scale: Any | None = None) -> SpectralFactor | None:
    """Return the eigendecomposition of a symmetric H as a factor, or ``None`` where it fails.

    Parameters
    ----------
    H
        Shape (d, d).
    scale
        Scale of each row and column, shape (d,), such as the norms of A's columns; default 1.
    """
    xp = array_namespace(H)
    if not bool(xp.all(xp.isfinite(H))):
        return None
    try:
        return SpectralFactor(H, xp.ones_like(H[0, :]) if scale is None else scale)
    except Exception as error:  # NumPy and torch raise different classes of the same name
        if type(error).__name__ in {"LinAlgError", "_LinAlgError"}:
            return None
        raise
