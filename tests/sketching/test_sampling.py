"""Row sampling: unbiased, as accurate as asked with leverage scores, and not without them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import linalg

from softres.common.errors import InputError
from softres.matrices import as_matrix
from softres.matrices.backends import as_numpy
from softres.sketching import (
    SCHEMES,
    RowSample,
    approximate_scores,
    exact_scores,
    sample_rows,
    sample_size,
)

pytestmark = pytest.mark.usefixtures("one_thread")


N, D = 20_000, 10
LEVERAGE_ONE = 5


def gaussian() -> np.ndarray:
    return np.random.default_rng(0).standard_normal((N, D))


def coherent() -> np.ndarray:
    A = gaussian()
    A[:LEVERAGE_ONE] = 0.0
    A[:, :LEVERAGE_ONE] *= 1e-3
    A[range(LEVERAGE_ONE), range(LEVERAGE_ONE)] = 1e3
    return A


def spectral_error(A: np.ndarray, diagonal: np.ndarray, gram: np.ndarray) -> float:
    """Return the smallest eps with (1 - eps) A^T D A <= gram <= (1 + eps) A^T D A."""
    exact = A.T @ (diagonal[:, None] * A)
    return float(np.abs(linalg.eigh(gram - exact, exact, eigvals_only=True)).max())


def realised(
    A: np.ndarray, scores: np.ndarray, s: int, seed: int, scheme: str = "independent"
) -> float:
    diagonal = np.random.default_rng(90_009).random(N) + 0.5
    sample = sample_rows(scores, s, np.random.default_rng(seed), scheme)
    return spectral_error(A, diagonal, sample.gram(as_matrix(A), diagonal))


def test_weights_are_counts_over_expected_counts():
    scores = np.array([1.0, 0.0, 2.0, 5.0])
    sample = sample_rows(scores, 1000, np.random.default_rng(0), "replacement")
    assert sample.drawn == 1000
    np.testing.assert_array_equal(sample.index, [0, 2, 3])
    counts = sample.weight * 1000 * np.array([1, 2, 5]) / 8
    np.testing.assert_allclose(counts, np.round(counts), atol=1e-9)
    assert counts.sum() == pytest.approx(1000)
    np.testing.assert_allclose(sample.weight, 1.0, atol=0.3)


def test_a_row_is_kept_once_however_often_it_is_drawn():
    sample = sample_rows(np.ones(7), 10_000, np.random.default_rng(0), "replacement")
    np.testing.assert_array_equal(sample.index, np.arange(7))
    assert sample.drawn == 10_000


def test_the_gram_of_a_sample_is_the_weighted_sum_of_its_rows(kind, relative_error):
    rng = np.random.default_rng(0)
    A, diagonal = rng.standard_normal((30, 4)), rng.standard_normal(30)
    sample = RowSample(np.array([2, 5, 29]), np.array([0.5, 2.0, 7.0]), 12)
    matrix = as_matrix(kind(A))
    gram = sample.gram(matrix, matrix.asarray(diagonal))
    expected = sum(
        weight * diagonal[i] * np.outer(A[i], A[i])
        for i, weight in zip(sample.index, sample.weight, strict=True)
    )
    assert relative_error(gram, expected) <= 1e-14
    assert (matrix.counter.passes, matrix.counter.grams) == (0, 3 / 30)
    single = sample.gram(matrix, matrix.asarray(diagonal), single=True)
    assert relative_error(single, expected) <= 1e-6


@pytest.mark.parametrize("diagonal_sign", ["positive", "mixed"])
@pytest.mark.parametrize("scores", ["leverage", "uniform"])
@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_sampled_gram_is_unbiased(diagonal_sign, scores, scheme):
    rng = np.random.default_rng(1)
    A = rng.standard_normal((200, 3)) * np.geomspace(0.1, 10, 200)[:, None]
    diagonal = rng.random(200) if diagonal_sign == "positive" else rng.standard_normal(200)
    matrix = as_matrix(A)
    weights = exact_scores(matrix, np.sqrt(np.abs(diagonal))) if scores == "leverage" else None
    weights = np.ones(200) if weights is None else weights
    grams = np.array(
        [sample_rows(weights, 50, rng, scheme).gram(matrix, diagonal).ravel() for _ in range(3000)]
    )
    deviation = grams.mean(axis=0) - (A.T @ (diagonal[:, None] * A)).ravel()
    standard_error = grams.std(axis=0) / math.sqrt(len(grams))
    assert np.abs(deviation / standard_error).max() < 5.0
    assert (standard_error > 0).all()


def test_independent_sampling_keeps_rows_as_they_are_where_it_asks_for_all():
    A, diagonal = gaussian(), np.random.default_rng(90_009).standard_normal(N)
    matrix = as_matrix(A)
    sample = sample_rows(exact_scores(matrix, np.ones(N)), 100 * N, np.random.default_rng(0))
    assert sample.drawn == N
    assert (sample.weight == 1.0).all()
    exact = A.T @ (diagonal[:, None] * A)
    np.testing.assert_allclose(sample.gram(matrix, diagonal), exact, rtol=1e-12, atol=1e-10)


def test_an_unknown_scheme_is_an_input_error():
    with pytest.raises(InputError, match="replacement"):
        sample_rows(np.ones(3), 2, np.random.default_rng(0), "systematic")


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("design", [gaussian, coherent])
@pytest.mark.parametrize("eps0", [0.08, 0.25])
def test_leverage_sampling_realises_about_the_accuracy_asked_for(
    design, eps0, scheme, record_property
):
    A = design()
    s = sample_size(D, eps0, delta=0.01, constant=0.5)
    rng = np.random.default_rng(4)
    diagonal = np.random.default_rng(90_009).random(N) + 0.5
    scores = approximate_scores(as_matrix(A), np.sqrt(diagonal), rng)
    errors = [realised(A, scores, s, seed, scheme) for seed in range(20)]
    record_property("largest over eps0", max(errors) / eps0)
    record_property("median over eps0", np.median(errors) / eps0)
    assert max(errors) <= 2.0 * eps0
    assert 0.5 * eps0 <= np.median(errors) <= 1.5 * eps0


def test_uniform_sampling_fails_on_a_coherent_matrix(record_property):
    s = sample_size(D, 0.08, delta=0.01, constant=0.5)
    errors = [realised(coherent(), np.ones(N), s, seed) for seed in range(10)]
    record_property("smallest", min(errors))
    assert min(errors) > 0.9  # a row of leverage one that is not drawn is lost
    gaussian_errors = [realised(gaussian(), np.ones(N), s, seed) for seed in range(3)]
    record_property("largest on a Gaussian matrix", max(gaussian_errors))
    assert max(gaussian_errors) < 0.15


def test_the_error_falls_like_one_over_the_root_of_the_sample_size(record_property):
    A = gaussian()
    scores = exact_scores(as_matrix(A), np.ones(N))
    sizes = [200, 800, 3200, 12_800]
    medians = [
        np.median([realised(A, scores, s, seed, "replacement") for seed in range(9)]) for s in sizes
    ]
    slope = np.polyfit(np.log(sizes), np.log(medians), 1)[0]
    record_property("slope", slope)
    assert -0.65 < slope < -0.4


def along_the_axes(n: int, d: int) -> np.ndarray:
    """Return unit vectors, n / d of each: the design that needs most rows."""
    return np.eye(d)[np.arange(n) % d]


@pytest.mark.parametrize("d", [5, 40])
def test_the_default_constant_keeps_the_failure_rate_on_rows_along_the_axes(d, record_property):
    n, trials = (15_000, 200) if d == 5 else (30_000, 30)
    A = along_the_axes(n, d)
    matrix, ones, eps0, delta = as_matrix(A), np.ones(n), 0.25, 0.01
    failures = {1.0: 0, 2.25: 0}
    for seed in range(trials):
        rng = np.random.default_rng(seed)
        scores = approximate_scores(matrix, ones, rng)
        for constant in failures:
            s = math.ceil(sample_size(d, eps0, delta, constant) * scores.sum() / d)
            counts = np.diagonal(sample_rows(scores, s, rng).gram(matrix, ones))
            failures[constant] += np.abs(counts * d / n - 1.0).max() > eps0
    record_property("failures", failures)
    assert failures[2.25] <= delta * trials
    assert failures[1.0] > failures[2.25]  # the same design does tell constants apart


def test_sampling_a_rank_deficient_matrix_keeps_its_range(record_property):
    rng = np.random.default_rng(0)
    basis = np.linalg.qr(rng.standard_normal((D, D - 4)))[0]
    reduced = rng.standard_normal((N, D - 4))
    A = reduced @ basis.T
    scores = approximate_scores(as_matrix(A), np.ones(N), rng)
    sample = sample_rows(scores, sample_size(D, 0.1, 0.01, 0.5), rng)
    gram = as_numpy(sample.gram(as_matrix(A), np.ones(N)))
    error = spectral_error(reduced, np.ones(N), basis.T @ gram @ basis)
    record_property("error", error)
    assert error < 0.15
    complement = np.eye(D) - basis @ basis.T
    assert np.abs(complement @ gram).max() <= 1e-12 * np.abs(gram).max()


def test_the_sample_size_is_the_lemmas():
    assert sample_size(50, 0.1, 0.01, 2.0) == math.ceil(2.0 * 50 * math.log(5000) / 0.01)
    assert sample_size(50, 0.05, 0.01, 2.0) == pytest.approx(4 * sample_size(50, 0.1, 0.01, 2.0), 1)
    assert sample_size(1, 0.5, 0.9, 1.0) >= 1  # log(d / delta) near 0 still asks for rows
