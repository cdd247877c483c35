"""Sparse embeddings: their shape, their entries, and what they keep of a subspace."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import linalg

from softres import InputError
from softres.matrices import as_matrix
from softres.matrices.backends import as_numpy
from softres.sketching import EMBEDDINGS, embedding, sketch

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.mark.parametrize("name", EMBEDDINGS)
@pytest.mark.parametrize(("m", "n"), [(1, 5), (3, 40), (8, 100), (37, 500), (400, 100)])
def test_columns_have_unit_norm_and_the_stated_number_of_nonzeros(name, m, n):
    S = embedding(name, m, n, np.random.default_rng(0))
    assert S.shape == (m, n)
    dense = S.toarray()
    nonzeros = min(EMBEDDINGS[name], m)
    np.testing.assert_array_equal(np.count_nonzero(dense, axis=0), nonzeros)
    np.testing.assert_allclose(np.linalg.norm(dense, axis=0), 1.0, rtol=1e-14)
    np.testing.assert_allclose(np.abs(dense[dense != 0]), 1 / np.sqrt(nonzeros), rtol=1e-14)


@pytest.mark.parametrize("name", EMBEDDINGS)
def test_signs_and_places_are_spread_evenly(name):
    m, n = 16, 20_000
    S = embedding(name, m, n, np.random.default_rng(0))
    per_row = np.diff(S.tocsr().indptr)
    expected = S.nnz / m
    assert np.abs(per_row - expected).max() < 6 * np.sqrt(expected)
    assert abs(np.sign(S.data).sum()) < 6 * np.sqrt(S.nnz)


@pytest.mark.parametrize("name", EMBEDDINGS)
def test_an_embedding_is_fixed_by_its_generator(name):
    first, again, other = (
        embedding(name, 8, 50, np.random.default_rng(seed)) for seed in (0, 0, 1)
    )
    assert (first != again).nnz == 0
    assert (first != other).nnz > 0


def test_an_unknown_embedding_is_an_input_error_that_names_the_known_ones():
    with pytest.raises(InputError, match=r"gaussian.*count_sketch.*sparse_sign"):
        embedding("gaussian", 4, 8, np.random.default_rng(0))


def condition_after_sketch(name: str, A: np.ndarray, seed: int) -> float:
    """Return the condition number of the Gram matrix preconditioned by a sketch of 4 d rows."""
    n, d = A.shape
    R = np.linalg.qr(embedding(name, 4 * d, n, np.random.default_rng(seed)) @ A, mode="r")
    half = linalg.solve_triangular(R, A.T @ A, trans=1)
    values = np.linalg.eigvalsh(linalg.solve_triangular(R, half.T, trans=1))
    return float(values[-1] / values[0])


def test_all_embeddings_precondition_an_incoherent_matrix(record_property):
    A = np.random.default_rng(0).standard_normal((4000, 50))
    for name in EMBEDDINGS:
        condition = condition_after_sketch(name, A, 1)
        record_property(name, condition)
        assert condition < 12  # ((1 + 1/2) / (1 - 1/2))^2 = 9 for a Gaussian sketch of 4 d rows


def heavy_tailed(n: int, d: int) -> np.ndarray:
    rng = np.random.default_rng(0)
    return rng.standard_t(1.2, (n, 1)) * rng.standard_normal((n, d))


def coherent(n: int, d: int, rows: int) -> np.ndarray:
    """Return a matrix whose first rows, next to each other, have leverage one to 1e-3."""
    A = 1e-3 * np.random.default_rng(0).standard_normal((n, d))
    A[:rows, :rows] += np.eye(rows)
    return A


@pytest.mark.parametrize(
    "A",
    [heavy_tailed(3000, 100), coherent(3000, 100, 100), coherent(3000, 100, 50)],
    ids=["heavy-tailed", "coherent", "half coherent"],
)
def test_the_banded_embedding_is_as_good_as_the_sparse_one(A, record_property):
    medians = {
        name: np.median([condition_after_sketch(name, A, seed) for seed in range(7)])
        for name in ("banded_sign", "sparse_sign")
    }
    for name, value in medians.items():
        record_property(name, value)
    assert medians["banded_sign"] < 2.0 * medians["sparse_sign"]
    assert medians["banded_sign"] < 20


def test_count_sketch_fails_on_a_coherent_matrix_where_others_do_not(record_property):
    # 200 rows of leverage near one: some two fall into one of CountSketch's 800 buckets.
    A = coherent(2000, 200, 200)
    conditions = {name: condition_after_sketch(name, A, 1) for name in EMBEDDINGS}
    for name, condition in conditions.items():
        record_property(name, condition)
    assert conditions["count_sketch"] > 1000
    assert conditions["sparse_sign"] < 20
    assert conditions["banded_sign"] < 20


@pytest.mark.parametrize("name", EMBEDDINGS)
@pytest.mark.parametrize("m", [1, 3, 13, 40])
def test_a_sketch_is_the_product_with_the_scaled_embedding(name, m, kind, relative_error):
    rng = np.random.default_rng(0)
    A, scale = rng.standard_normal((150, 6)), rng.random(150)
    matrix = as_matrix(kind(A))
    S = embedding(name, m, 150, np.random.default_rng(5))
    reduced = sketch(matrix, matrix.asarray(scale), name, m, np.random.default_rng(5))
    assert reduced.shape == (m, 6)
    assert relative_error(reduced, S @ (scale[:, None] * A)) <= 1e-13
    assert (matrix.counter.passes, matrix.counter.grams) == (0, 0)


def test_rows_are_compressed_in_any_order_and_block(kind, monkeypatch, relative_error):
    monkeypatch.setattr("softres.matrices.dense.BLOCK_BYTES", 1)
    rng = np.random.default_rng(0)
    A, rows, factors = (
        rng.standard_normal((300, 4)),
        rng.integers(0, 300, 170),
        rng.standard_normal((3, 170)),
    )
    product = as_numpy(as_matrix(kind(A)).compress(factors, rows))
    assert relative_error(product, factors @ A[rows]) <= 1e-13
