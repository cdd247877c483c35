"""Gram matrices of a sparse A in parts: dense columns apart, and products that are kept."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from scipy import sparse

from softres.matrices import SparseScipy
from softres.matrices.dense_columns import split_columns
from softres.matrices.row_pairs import row_pairs
from softres.matrices.sparse import PAIRS_AFTER

pytestmark = pytest.mark.usefixtures("one_thread")


def columns_of_letters(n=3000, d=300, letters=16, seed=0):
    """A few columns that most rows have entries in, and many that few rows have."""
    rng = np.random.default_rng(seed)
    places = rng.permutation(d)
    density = np.full(d, 0.01)
    density[places[:letters]] = 0.6
    A = rng.standard_normal((n, d)) * (rng.random((n, d)) < density)
    A[5] = 0.0
    return A, np.sort(places[:letters])


def exact(A, weights, rows=None):
    part = A if rows is None else A[rows]
    return part.T @ (weights[:, None] * part)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("chosen", [None, "few", "repeated"])
@pytest.mark.parametrize("often", [False, True])
def test_the_parts_make_the_gram_matrix(dtype, chosen, often):
    A, letters = columns_of_letters()
    rng = np.random.default_rng(1)
    rows = {None: None, "few": rng.permutation(3000)[:200], "repeated": rng.integers(0, 3000, 5000)}
    rows = rows[chosen]
    weights = rng.standard_normal(3000 if rows is None else len(rows))
    matrix = SparseScipy(sparse.csr_array(A.astype(dtype)))
    np.testing.assert_array_equal(matrix.split_columns.columns, letters)
    for _ in range(PAIRS_AFTER + 1 if often else 0):
        matrix.gram(np.ones(3000, dtype=dtype))
    gram = matrix.gram(weights.astype(dtype), rows)
    expected = exact(A, weights, rows)
    assert gram.dtype == dtype
    unit = np.finfo(dtype).eps
    scale = exact(np.abs(A), np.abs(weights), rows).max()
    np.testing.assert_allclose(gram, expected, atol=100 * unit * scale)
    np.testing.assert_allclose(gram, gram.T, atol=10 * unit * scale)


def test_columns_without_dense_ones_stay_together():
    rng = np.random.default_rng(0)
    A = sparse.random_array((4000, 500), density=0.005, format="csr", rng=rng)
    assert split_columns(A) is None


def test_dense_rows_are_no_reason_to_split():
    rng = np.random.default_rng(0)
    A = sparse.random_array((500, 60), density=0.9, format="csr", rng=rng)
    assert split_columns(A) is None


def test_products_that_are_kept_make_the_gram_matrix_exactly():
    A = np.zeros((4, 5))
    A[0, [3, 1]], A[2, :], A[3, 4] = (2.0, -1.0), np.arange(5.0), 7.0
    array = sparse.csr_array((np.array([2.0, -1.0]), np.array([3, 1]), [0, 2, 2, 2, 2]), (4, 5))
    array = sparse.csr_array(array + sparse.csr_array(A - array.toarray()))
    weights = np.array([1.0, 2.0, -3.0, 0.5])
    np.testing.assert_array_equal(row_pairs(array).gram(weights), exact(A, weights))


def test_a_copy_makes_its_parts_again():
    A, _ = columns_of_letters()
    matrix = SparseScipy(sparse.csr_array(A))
    for _ in range(PAIRS_AFTER + 1):
        matrix.gram(np.ones(3000))
    plain = SparseScipy(sparse.csr_array(A))
    assert len(pickle.dumps(matrix)) < 1.01 * len(pickle.dumps(plain)) + 1000
    copy = pickle.loads(pickle.dumps(matrix))
    np.testing.assert_allclose(copy.gram(np.ones(3000)), exact(A, np.ones(3000)), atol=1e-9)
