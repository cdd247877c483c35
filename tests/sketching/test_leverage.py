"""Leverage scores: exact ones, and estimates from a sketch."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from softres.matrices import as_matrix
from softres.sketching import EMBEDDINGS, approximate_scores, embedding, exact_scores
from softres.sketching.leverage import row_forms, whitening

pytestmark = pytest.mark.usefixtures("one_thread")


def gaussian(n=3000, d=12):
    return np.random.default_rng(0).standard_normal((n, d))


def coherent(n=3000, d=12):
    """Return a matrix whose first six rows have leverage one to 1e-4."""
    A = 1e-3 * np.random.default_rng(0).standard_normal((n, d))
    A[:6, :6] += 10.0 * np.eye(6)
    return A


def deficient(n=3000, d=12):
    """Return a matrix of rank d - 3."""
    rng = np.random.default_rng(0)
    return rng.standard_normal((n, d - 3)) @ rng.standard_normal((d - 3, d))


MATRICES = {"gaussian": gaussian, "coherent": coherent, "deficient": deficient}
RANKS = {"gaussian": 12, "coherent": 12, "deficient": 9}


def scores_by_svd(A: np.ndarray, rank: int) -> np.ndarray:
    left = np.linalg.svd(A, full_matrices=False)[0][:, :rank]
    return np.sum(left**2, axis=1)


@pytest.mark.parametrize("name", MATRICES)
def test_exact_scores_are_the_row_norms_of_an_orthonormal_basis(name, kind):
    A = MATRICES[name]()
    scale = np.random.default_rng(1).random(len(A)) + 0.1
    matrix = as_matrix(kind(A))
    scores = exact_scores(matrix, matrix.asarray(scale))
    assert isinstance(scores, np.ndarray)
    np.testing.assert_allclose(scores, scores_by_svd(scale[:, None] * A, RANKS[name]), rtol=1e-7)


@pytest.mark.parametrize("name", MATRICES)
@pytest.mark.parametrize("sketch", EMBEDDINGS)
def test_approximate_scores_are_close_to_exact_ones(name, sketch, kind, record_property):
    A = MATRICES[name]()
    scale = np.random.default_rng(1).random(len(A)) + 0.1
    exact = scores_by_svd(scale[:, None] * A, RANKS[name])
    matrix = as_matrix(kind(A))
    scale = matrix.asarray(scale)
    # Many columns of G: what is left of the ratio's spread is the embedding's.
    scores = approximate_scores(
        matrix, scale, np.random.default_rng(2), kind=sketch, oversampling=10.0, columns=2000
    )
    assert isinstance(scores, np.ndarray)
    ratio = scores / exact
    record_property("smallest", ratio.min())
    record_property("largest", ratio.max())
    assert ratio.min() > 0.4
    assert ratio.max() < 2.5
    assert scores.sum() == pytest.approx(RANKS[name], rel=0.3)


@pytest.mark.parametrize("name", MATRICES)
def test_scores_at_the_default_settings_suit_sampling(name, record_property):
    # What sampling pays for an underestimate is exact / approximate: it must be bounded.
    A = MATRICES[name]()
    exact = scores_by_svd(A, RANKS[name])
    worst = []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        scores = approximate_scores(as_matrix(A), np.ones(len(A)), rng)
        worst.append(((exact / exact.sum()) / (scores / scores.sum())).max())
    record_property("worst underestimate", max(worst))
    assert max(worst) < 30


def test_rows_of_leverage_one_are_found_among_thousands(kind):
    A = coherent()
    matrix = as_matrix(kind(A))
    scores = approximate_scores(matrix, matrix.asarray(np.ones(len(A))), np.random.default_rng(3))
    assert set(np.argsort(scores)[-6:]) == set(range(6))


def test_rows_of_scale_zero_have_no_leverage(kind):
    A = gaussian(400, 5)
    scale = np.ones(400)
    scale[::2] = 0.0
    matrix = as_matrix(kind(A))
    for scores in (
        exact_scores(matrix, matrix.asarray(scale)),
        approximate_scores(matrix, matrix.asarray(scale), np.random.default_rng(0)),
    ):
        assert (scores[::2] == 0.0).all()
        assert (scores[1::2] > 0.0).all()


def test_exact_scores_do_not_mind_the_scale_of_columns():
    A = gaussian(1000, 6)
    scores = exact_scores(as_matrix(A * np.geomspace(1e-5, 1e5, 6)), np.ones(1000))
    np.testing.assert_allclose(scores, scores_by_svd(A, 6), rtol=1e-6)


def test_approximate_scores_do_not_mind_the_scale_of_columns(relative_error):
    A = gaussian(1000, 6)
    skewed = A * np.geomspace(1e-5, 1e5, 6)
    for sketch in EMBEDDINGS:
        plain, scaled = (
            approximate_scores(
                as_matrix(B), np.ones(1000), np.random.default_rng(0), kind=sketch, columns=3000
            )
            for B in (A, skewed)
        )
        assert relative_error(scaled, plain) <= 0.1


@pytest.mark.parametrize(("n", "d", "rank"), [(20_000, 10, 6), (3000, 12, 9), (5000, 100, 99)])
def test_whitening_sees_the_rank_of_a_sketch(n, d, rank):
    for seed in range(10):
        rng = np.random.default_rng(seed)
        basis = np.linalg.qr(rng.standard_normal((d, rank)))[0]
        A = rng.standard_normal((n, rank)) @ basis.T
        W = whitening(embedding("sparse_sign", 4 * d, n, rng) @ A)
        assert W.shape == (d, rank)


@pytest.mark.parametrize("rank", [3, 7])
def test_whitening_makes_the_sketch_orthonormal(rank):
    rng = np.random.default_rng(0)
    sketch = rng.standard_normal((30, rank)) @ rng.standard_normal((rank, 7))
    W = whitening(sketch)
    np.testing.assert_allclose((sketch @ W).T @ (sketch @ W), np.eye(rank), atol=1e-12)


def test_every_backend_draws_the_same_scores(kind, relative_error):
    A = coherent(500, 8)
    scale = np.linspace(0.5, 2.0, 500)
    reference = approximate_scores(as_matrix(A), scale, np.random.default_rng(7))
    matrix = as_matrix(kind(A))
    scores = approximate_scores(matrix, matrix.asarray(scale), np.random.default_rng(7))
    assert relative_error(scores, reference) <= 1e-10


def test_scores_read_the_matrix_once_for_the_sketch_and_once_for_the_probe():
    matrix = as_matrix(gaussian(400, 12))
    approximate_scores(matrix, np.ones(400), np.random.default_rng(0), columns=9)
    assert (matrix.counter.passes, matrix.counter.grams) == (9, 0)


def test_a_probe_with_as_many_columns_as_the_rank_is_exact(kind, relative_error):
    A = gaussian(500, 7)
    matrix = as_matrix(kind(A))
    W = np.random.default_rng(1).standard_normal((7, 5))
    forms = row_forms(matrix, W, np.random.default_rng(0), columns=5)
    assert relative_error(forms, ((A @ W) ** 2).sum(axis=1)) <= 1e-13
    assert matrix.counter.passes == 5
    rough = row_forms(matrix, W, np.random.default_rng(0), columns=4)
    assert relative_error(rough, forms) > 0.05


@pytest.mark.parametrize("sketch", ["banded_sign", "sparse_sign"])
def test_scores_from_a_sketch_are_not_biased(sketch, record_property):
    # The inverse of a sketched Gram matrix of 2 d rows is too large by two.
    A = gaussian(4000, 40)
    sums = [
        approximate_scores(
            as_matrix(A), np.ones(4000), np.random.default_rng(seed), kind=sketch, oversampling=2.0
        ).sum()
        for seed in range(12)
    ]
    record_property("mean", np.mean(sums))
    assert np.mean(sums) == pytest.approx(40.0, rel=0.1)


def test_a_matrix_with_fewer_rows_than_the_sketch_asks_for():
    A = gaussian(15, 6)
    scores = approximate_scores(as_matrix(A), np.ones(15), np.random.default_rng(0), columns=4000)
    assert scores.shape == (15,)
    assert np.isfinite(scores).all()
    assert (scores > 0).all()


def test_float32_scores_are_float32_accurate(relative_error):
    A = gaussian(500, 5)
    single = as_matrix(torch.from_numpy(A.astype(np.float32)))
    scale = single.asarray(np.ones(500))
    double = approximate_scores(as_matrix(A), np.ones(500), np.random.default_rng(0))
    scores = approximate_scores(single, scale, np.random.default_rng(0))
    assert scores.dtype == np.float64
    assert relative_error(scores, double) <= 1e-5
