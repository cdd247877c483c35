"""Leverage scores of blocks of rows, and what sampling by them keeps."""

from __future__ import annotations

import numpy as np
import pytest

from softres import MultiLayerRegression
from softres.matrices.layered import layered_matrix
from softres.sketching import block_scores, sample_rows, sample_size

D = 3


def test_scores_of_blocks_add_up_to_the_rank_and_are_near_the_exact_ones():
    rng = np.random.default_rng(0)
    n, layers = 4000, 3
    matrix = layered_matrix(rng.standard_normal((n, D)), layers)
    blocks = rng.standard_normal((layers, layers, n))
    blocks = blocks + blocks.transpose(1, 0, 2)
    scores = block_scores(matrix, blocks, rng)
    values, vectors = np.linalg.eigh(blocks.transpose(2, 0, 1))
    sizes = np.einsum("ikl,il,iml->kmi", vectors, np.abs(values), vectors)
    inverse = np.linalg.inv(matrix.gram(sizes)).reshape(layers, D, layers, D)
    A = matrix.layers[0].array
    exact = np.einsum("lmi,id,ldme,ie->i", sizes, A, inverse, A, optimize=True)
    assert exact.sum() == pytest.approx(layers * D)
    assert scores.sum() == pytest.approx(layers * D, rel=0.1)
    assert np.quantile(np.abs(scores / exact - 1.0), 0.95) < 0.7


def test_sampled_blocks_keep_the_promised_accuracy():
    rng = np.random.default_rng(1)
    n, layers = 20_000, 2
    A = rng.standard_normal((n, D)) * np.exp(2.0 * rng.standard_normal(n))[:, None] / 100
    b = rng.random(n)
    problem = MultiLayerRegression(A, b / b.sum(), 1e-5, layers=layers)
    curvature = problem.at(problem.start()).curvature
    scores = block_scores(problem.matrix, curvature.blocks, rng)
    sample = sample_rows(scores, sample_size(layers * D, 0.25, 0.01, 2.25), rng)
    assert len(sample.index) < n / 5
    exact = problem.matrix.gram(curvature.blocks)
    error = sample.gram(problem.matrix, curvature.blocks) - exact
    whitened = np.linalg.solve(exact, error)
    assert np.abs(np.linalg.eigvals(whitened)).max() <= 0.25
