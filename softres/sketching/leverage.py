"""Leverage scores of diag(s) A: how much each row matters to its column space."""

from __future__ import annotations

from math import ceil, log, sqrt
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import linalg

from softres.common.arrays import fits_single
from softres.matrices import DesignMatrix
from softres.matrices.backends import as_numpy
from softres.sketching.embeddings import sketch

__all__ = [
    "approximate_scores",
    "exact_scores",
    "probe_columns",
    "row_forms",
    "sketched_whitening",
    "whitening",
]

Scores = npt.NDArray[np.float64]

#: Relative error that single precision may add to an estimated form; their own is 20 to 30%.
SINGLE_PRECISION_ERROR = 0.01


def probe_columns(n: int) -> int:
    """Return the columns of the Gaussian G that estimates n row norms: 4 ln n, at least 16.

    The Johnson-Lindenstrauss lemma asks for order log n. Each estimate is a chi-square with this
    many degrees of freedom; the sample size pays for its spread.
    """
    return max(16, ceil(4.0 * log(n)))


def whitening(reduced: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return W, shape (d, rank), with (B W)^T (B W) = I for a sketch B of shape (m, d).

    Raises
    ------
    numpy.linalg.LinAlgError
        If the sketch is zero, or not finite.
    """
    if not (np.isfinite(reduced).all() and reduced.any()):
        raise np.linalg.LinAlgError("the sketch is zero, or not finite")
    R = linalg.qr(reduced, mode="r", check_finite=False)[0][: reduced.shape[1]]
    noise = 10.0 * max(reduced.shape) * float(np.finfo(R.dtype).eps)
    if R.shape[0] == R.shape[1]:
        trcon = linalg.get_lapack_funcs("trcon", (R,))
        if trcon(R, norm="1")[0] > noise:
            return np.asarray(linalg.solve_triangular(R, np.eye(R.shape[0], dtype=R.dtype)))
    # A is rank deficient: the singular vectors of the range alone.
    _, values, right = linalg.svd(R, full_matrices=False, check_finite=False)
    kept = values > noise * values[0]
    return np.asarray(right[kept].T / values[kept])


def sketched_whitening(
    matrix: DesignMatrix,
    scale: Any,
    rng: np.random.Generator,
    kind: str = "banded_sign",
    oversampling: float = 4.0,
) -> npt.NDArray[Any]:
    """Return W, shape (d, rank), with (B W)^T (B W) near I for B = diag(scale) A, by a sketch of B.

    The sketch has m = oversampling x d rows, and for a small d so many that its own spread does
    not exceed the probe's: each form a_i W W^T a_i^T is near an inverse chi-square with m - d
    degrees of freedom. Its mean is too large by m / (m - rank); W is corrected for that.
    """
    n, d = matrix.shape
    m = min(n, max(d + 2 * probe_columns(n), ceil(oversampling * d)))
    return corrected_whitening(sketch(matrix, scale, kind, m, rng), n)


def corrected_whitening(sketched: Any, n: int) -> npt.NDArray[Any]:
    """Return the :func:`whitening` of a sketch of n rows, with the forms' mean corrected.

    Of m rows of the sketch an inverse chi-square has a mean too large by m / (m - rank).
    """
    W, m = whitening(sketched), sketched.shape[0]
    rank = W.shape[1]
    return W * sqrt((m - rank) / m) if rank < m < n else W


def probe(W: npt.NDArray[Any], columns: int, rng: np.random.Generator) -> npt.NDArray[Any]:
    """Return W G for a Gaussian G with so many columns, |a W G|^2 being |a W|^2 in the mean."""
    return W @ rng.standard_normal((W.shape[1], columns)) / sqrt(columns)


def row_forms(
    matrix: DesignMatrix, W: npt.NDArray[Any], rng: np.random.Generator, columns: int | None = None
) -> Scores:
    """Return estimates of |a_i W|^2, shape (n,) on the host, for W of shape (d, rank).

    A Gaussian G with ``columns`` columns, :func:`probe_columns` by default, makes them
    |a_i W G|^2. With as many columns as W has, or more, they are exact. Estimates are multiplied
    in single precision where that cannot be seen in them.
    """
    k = probe_columns(matrix.shape[0]) if columns is None else columns
    if k >= W.shape[1]:
        return as_numpy(matrix.row_forms(matrix.asarray(W))).astype(np.float64)
    probed = probe(W, k, rng)
    forms = matrix.row_forms(matrix.asarray(probed), single=_rounds_well(W, probed))
    return as_numpy(forms).astype(np.float64)


def _rounds_well(W: npt.NDArray[Any], probe: npt.NDArray[Any]) -> bool:
    """Whether single precision keeps every form |a_i probe|^2.

    None may change by more than :data:`SINGLE_PRECISION_ERROR`. With R = W^-1 and a_i = q R, the
    error of a_i probe is at most eps |q| |R| |probe|, absolute values taken entry by entry, and
    a_i probe itself is about as long as q.
    """
    if W.shape[0] != W.shape[1]:
        return False  # A is rank deficient
    # A column's size is that of the probe's row, inverted.
    if not fits_single(np.linalg.norm(probe, axis=1)):
        return False
    amplification = np.abs(np.linalg.inv(W)) @ np.abs(probe)
    eps = float(np.finfo(np.float32).eps)
    return 2.0 * eps * float(np.linalg.norm(amplification, 2)) <= SINGLE_PRECISION_ERROR


def approximate_scores(
    matrix: DesignMatrix,
    scale: Any,
    rng: np.random.Generator,
    *,
    kind: str = "banded_sign",
    oversampling: float = 4.0,
    columns: int | None = None,
) -> Scores:
    """Estimate the leverage scores of diag(scale) A, as Lemma A.8 needs them.

    A sparse embedding S with oversampling x d rows and a QR factorisation S diag(scale) A = Q R
    whiten the columns; a Gaussian G with O(log n) columns then estimates the row norms,
    tau_i ~ |scale_i a_i R^-1 G|^2. Nearly nnz(A) + d^omega work (Drineas et al., 2012).

    Parameters
    ----------
    matrix
        A.
    scale
        Row scale, shape (n,), non-negative, of A's kind.
    rng
        Source of S and G.
    kind
        The embedding, see :func:`softres.sketching.embedding`.
    oversampling
        Rows of S over d.
    columns
        Columns of G, see :func:`row_forms`.

    Returns
    -------
    Scores of shape (n,) on the host; their sum is about the rank of A.
    """
    W = sketched_whitening(matrix, scale, rng, kind, oversampling)
    return np.asarray(row_forms(matrix, W, rng, columns) * as_numpy(scale * scale).astype(float))


def exact_scores(matrix: DesignMatrix, scale: Any) -> Scores:
    """Return the leverage scores of diag(scale) A, shape (n,), at the cost of a Gram matrix."""
    gram = as_numpy(matrix.gram(scale * scale)).astype(np.float64)
    diagonal = np.diagonal(gram)
    columns = np.sqrt(np.where(diagonal > 0, diagonal, 1.0))[:, None]
    values, vectors = np.linalg.eigh(gram / columns / columns.T)
    kept = values > values[-1] * len(values) * np.finfo(np.float64).eps
    W = vectors[:, kept] / columns / np.sqrt(values[kept])
    forms = as_numpy(matrix.row_forms(matrix.asarray(W))).astype(np.float64)
    return np.asarray(forms * as_numpy(scale * scale).astype(np.float64))
