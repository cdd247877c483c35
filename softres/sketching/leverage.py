"""Leverage scores of diag(s) A: how much each row matters to its column space."""

from __future__ import annotations

from math import ceil, log, sqrt
from typing import Any

import numpy as np
import numpy.typing as npt
from array_api_compat import array_namespace
from scipy import linalg

from softres.backends import as_numpy
from softres.matrices import DesignMatrix
from softres.sketching.embeddings import embedding

__all__ = ["approximate_scores", "exact_scores", "probe_columns"]

Scores = npt.NDArray[np.float64]


def probe_columns(n: int) -> int:
    """Return the columns of the Gaussian G that estimates n row norms: 2 ln n, at least 8.

    The Johnson-Lindenstrauss lemma asks for order log n. Each estimate is a chi-square with this
    many degrees of freedom; the sample size pays for its spread.
    """
    return max(8, ceil(2.0 * log(n)))


def whitening(reduced: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return W, shape (d, rank), with (B W)^T (B W) = I for a sketch B of shape (m, d)."""
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


def approximate_scores(
    matrix: DesignMatrix,
    scale: Any,
    rng: np.random.Generator,
    *,
    kind: str = "sparse_sign",
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
        Columns of G; default :func:`probe_columns`.

    Returns
    -------
    Scores of shape (n,) on the host; their sum is about the rank of A.
    """
    n, d = matrix.shape
    m = min(n, max(d + 1, ceil(oversampling * d)))
    S = embedding(kind, m, n, rng)
    # The row scale goes into S, so that A itself is neither changed nor copied.
    S.data *= np.repeat(as_numpy(scale), np.diff(S.indptr))
    W = whitening(as_numpy(matrix.sketch(S)))
    k = probe_columns(n) if columns is None else columns
    probe = W @ rng.standard_normal((W.shape[1], k)) / sqrt(k)
    return _scaled_row_norms(matrix, scale, probe)


def exact_scores(matrix: DesignMatrix, scale: Any) -> Scores:
    """Return the leverage scores of diag(scale) A, shape (n,), at the cost of a Gram matrix."""
    gram = as_numpy(matrix.gram(scale * scale)).astype(np.float64)
    diagonal = np.diagonal(gram)
    columns = np.sqrt(np.where(diagonal > 0, diagonal, 1.0))[:, None]
    values, vectors = np.linalg.eigh(gram / columns / columns.T)
    kept = values > values[-1] * len(values) * np.finfo(np.float64).eps
    return _scaled_row_norms(matrix, scale, vectors[:, kept] / columns / np.sqrt(values[kept]))


def _scaled_row_norms(matrix: DesignMatrix, scale: Any, right: npt.NDArray[Any]) -> Scores:
    product = matrix.matmul(matrix.asarray(right))
    xp = array_namespace(product)
    norms = xp.sum(product * product, axis=1)
    return as_numpy(norms * scale * scale).astype(np.float64)
