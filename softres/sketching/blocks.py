"""Leverage scores of rows that belong together: of blocks rather than of single rows."""

from __future__ import annotations

from math import ceil
from typing import Any

import numpy as np
from scipy import sparse

from softres.matrices.backends import as_numpy
from softres.matrices.layered import LayeredMatrix
from softres.sketching.embeddings import embedding
from softres.sketching.leverage import Scores, corrected_whitening, probe, probe_columns

__all__ = ["block_scores"]


def block_scores(
    matrix: LayeredMatrix,
    blocks: Any,
    rng: np.random.Generator,
    kind: str = "banded_sign",
    oversampling: float = 4.0,
) -> Scores:
    """Estimate the leverage scores of blocks of rows, by a sketch and a probe.

    With |B_i| = C_i^T C_i the L rows C_i (x) a_i belong to row i of the data, and A^T |B| A is the
    sum of their Gram matrices over i. The score of i is the trace of their leverage: it bounds the
    norm of the block's part of the whole, so that the matrix Chernoff bound holds for blocks as it
    does for rows. The scores add up to the rank.

    Parameters
    ----------
    matrix
        The matrix of all layers, n L x d L.
    blocks
        B_i, shape (L, L, n), symmetric and of any signs.
    rng
        Source of the embedding and the probe.
    kind
        The embedding, see :func:`softres.sketching.embedding`.
    oversampling
        Rows of the embedding over d L.

    Returns
    -------
    Scores, shape (n,), on the host.
    """
    values, vectors = np.linalg.eigh(as_numpy(blocks).astype(np.float64).transpose(2, 0, 1))
    # Rows of C_i are eigenvectors of B_i by the roots of the sizes of its eigenvalues.
    roots = np.sqrt(np.abs(values))[:, :, None] * vectors.transpose(0, 2, 1)
    (n, depth, _), width = roots.shape, matrix.shape[1]
    m = min(n * depth, max(width + 2 * probe_columns(n), ceil(oversampling * width)))
    mixing = sparse.block_array(
        [[sparse.diags_array(roots[:, k, layer]) for layer in range(depth)] for k in range(depth)],
        format="csc",
    )
    mixed = sparse.csc_array(embedding(kind, m, n * depth, rng) @ mixing)
    W = corrected_whitening(as_numpy(matrix.sketch(mixed)), n * depth)
    columns = probe_columns(n)
    if columns < W.shape[1]:
        W = probe(W, columns, rng)
    images = as_numpy(matrix.matmul(matrix.asarray(W))).reshape(depth, n, -1)
    scores = np.zeros(n)
    for k in range(depth):
        row = sum(roots[:, k, layer, None] * images[layer] for layer in range(depth))
        scores += np.sum(np.square(row), axis=1)
    return scores
