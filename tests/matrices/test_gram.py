"""Weighted Gram matrices over chosen rows, in single precision, and of sparse blocks."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

import softres.matrices.dense
import softres.matrices.sparse
from softres import InputError
from softres.matrices import as_matrix
from softres.matrices.backends import as_numpy
from softres.matrices.symmetric import BlockSum, by_sign

pytestmark = pytest.mark.usefixtures("one_thread")

#: Rounding relative to |A|^T |W| |A|, in double and in single precision.
ROUNDING = {False: 1e-13, True: 1e-5}


@st.composite
def chosen_rows(draw):
    """Draw a matrix with zeros, some of its rows in any order and repeated, and their weights."""
    n, d, k = draw(st.integers(1, 150)), draw(st.integers(1, 7)), draw(st.integers(0, 200))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    A = rng.standard_normal((n, d)) * (rng.random((n, d)) < draw(st.sampled_from([0.1, 1.0])))
    rows = rng.integers(0, n, k)
    weights = {
        "positive": rng.random(k),
        "mixed": rng.standard_normal(k),
        "negative": -rng.random(k),
    }[draw(st.sampled_from(["positive", "mixed", "negative"]))]
    return A, rows, weights


@given(drawn=chosen_rows(), single=st.booleans(), block=st.sampled_from([1, 1 << 21]))
@settings(max_examples=80, deadline=None)
def test_chosen_rows_give_the_gram_matrix_of_those_rows(kind, drawn, single, block):
    A, rows, weights = drawn
    with pytest.MonkeyPatch.context() as patch:
        for module, name in (
            ("dense", "BLOCK_BYTES"),
            ("dense", "DEVICE_BLOCK_BYTES"),
            ("sparse", "BLOCK_BYTES"),
            ("sparse", "BLOCK_ENTRIES"),
            ("sparse_torch", "BLOCK_BYTES"),
            ("sparse_torch", "DEVICE_BLOCK_BYTES"),
        ):
            patch.setattr(getattr(softres.matrices, module), name, block)
        matrix = as_matrix(kind(A))
        gram = matrix.gram(matrix.asarray(weights), rows, single)
    gram, chosen = as_numpy(gram), A[rows]
    assert gram.dtype == np.float64
    size = np.abs(chosen).T @ (np.abs(weights)[:, None] * np.abs(chosen))
    expected = chosen.T @ (weights[:, None] * chosen)
    assert (np.abs(gram - expected) <= ROUNDING[single] * size + 1e-300).all()
    np.testing.assert_array_equal(gram, gram.T)


@pytest.mark.parametrize("sign", ["positive", "mixed"])
def test_single_precision_is_near_double_precision_over_all_rows(kind, sign):
    rng = np.random.default_rng(0)
    A = rng.standard_normal((3000, 8))
    weights = rng.random(3000) if sign == "positive" else rng.standard_normal(3000)
    matrix = as_matrix(kind(A))
    double, single = (
        as_numpy(matrix.gram(matrix.asarray(weights), single=single)) for single in (False, True)
    )
    difference = np.abs(double - single).max() / np.abs(double).max()
    assert difference <= 1e-5
    if kind.name != "sparse-numpy":  # documented: it ignores the option
        assert difference > 0


def test_a_float32_matrix_takes_chosen_rows(kind):
    rng = np.random.default_rng(0)
    A, rows = rng.standard_normal((300, 5)), rng.integers(0, 300, 90)
    matrix = as_matrix(kind(A, dtype="float32"))
    weights = rng.standard_normal(90)
    for single in (False, True):
        gram = as_numpy(matrix.gram(matrix.asarray(weights), rows, single))
        assert gram.dtype == np.float32
        np.testing.assert_allclose(gram, A[rows].T @ (weights[:, None] * A[rows]), atol=1e-3)


@pytest.mark.parametrize("dtype", [np.int32, np.uint16, np.int64])
def test_row_numbers_of_any_whole_type_are_taken(kind, dtype):
    A = np.random.default_rng(0).standard_normal((30, 3))
    rows = np.array([3, 29, 3], dtype=dtype)
    matrix = as_matrix(kind(A))
    gram = as_numpy(matrix.gram(matrix.asarray(np.ones(3)), rows))
    np.testing.assert_allclose(gram, A[rows].T @ A[rows], rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("rows", [[0, 9], [-1, 0]])
def test_rows_outside_the_matrix_are_input_errors(kind, rows):
    matrix = as_matrix(kind(np.ones((9, 2))))
    with pytest.raises(InputError, match="0 to 8"):
        matrix.gram(matrix.asarray(np.ones(2)), np.array(rows))


def test_there_is_one_weight_for_each_row(kind):
    matrix = as_matrix(kind(np.ones((9, 2))))
    with pytest.raises(InputError, match="as many weights"):
        matrix.gram(matrix.asarray(np.ones(9)), np.array([0, 1]))
    with pytest.raises(InputError, match="9 rows"):
        matrix.gram(matrix.asarray(np.ones(8)))


def test_chosen_rows_count_as_their_share_of_a_gram_matrix(kind):
    matrix = as_matrix(kind(np.ones((8, 3))))
    matrix.gram(matrix.asarray(np.ones(2)), np.array([1, 4]))
    assert (matrix.counter.passes, matrix.counter.grams) == (0, 0.25)
    matrix.gram(matrix.asarray(np.ones(8)))
    assert matrix.counter.grams == 1.25


def peak_bytes(matrix, weights, rows=None, single=False) -> int:
    tracemalloc.start()
    matrix.gram(weights, rows, single)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


@pytest.mark.parametrize("single", [False, True])
def test_neither_the_matrix_nor_the_chosen_rows_are_copied(single):
    rng = np.random.default_rng(0)
    A = rng.standard_normal((60_000, 60))  # 29 MB
    matrix, rows = as_matrix(A), np.arange(50_000)
    weights = rng.standard_normal(60_000)
    limit = 8 * 10 * 60_000 + 4 * softres.matrices.dense.BLOCK_BYTES  # vectors and buffers
    assert limit < A.nbytes / 3
    assert peak_bytes(matrix, weights, None, single) < limit
    assert peak_bytes(matrix, weights[rows], rows, single) < limit


@pytest.mark.parametrize("density", [0.005, 0.3])
def test_a_sparse_gram_matrix_needs_a_few_blocks_of_memory(density):
    rng = np.random.default_rng(0)
    n, d = (400_000, 200) if density < 0.1 else (40_000, 200)
    A = sparse.random_array((n, d), density=density, rng=rng, format="csr")
    matrix, weights = as_matrix(A), rng.random(n)
    buffers = 64 * softres.matrices.sparse.BLOCK_ENTRIES + 16 * n + 64 * d * d
    assert peak_bytes(matrix, weights) < buffers
    assert peak_bytes(matrix, weights[::2], np.arange(0, n, 2)) < buffers


@pytest.mark.parametrize("rate", [0, 10**9])
def test_both_ways_through_a_sparse_block_give_the_same_matrix(rate, monkeypatch):
    # Rate 0 makes every block look cheap for the sparse product, the other one none.
    monkeypatch.setattr(softres.matrices.sparse, "SPARSE_RATE", rate)
    monkeypatch.setattr(softres.matrices.sparse, "BLOCK_ENTRIES", 500)
    made = []
    add = BlockSum.add
    monkeypatch.setattr(BlockSum, "add", lambda self, *args: (made.append(args), add(self, *args)))
    rng = np.random.default_rng(0)
    A = sparse.random_array((900, 12), density=0.2, rng=rng, format="csr")
    weights = rng.standard_normal(900)
    gram = as_matrix(A).gram(weights)
    dense = A.toarray()
    np.testing.assert_allclose(gram, dense.T @ (weights[:, None] * dense), atol=1e-12)
    assert (len(made) > 0) == (rate > 0)


def test_dense_blocks_are_chosen_where_the_rows_are_long(monkeypatch):
    made = []
    add = BlockSum.add
    monkeypatch.setattr(BlockSum, "add", lambda self, *args: (made.append(args), add(self, *args)))
    rng = np.random.default_rng(0)
    for density, dense in ((0.01, False), (0.2, True)):
        made.clear()
        A = sparse.random_array((2000, 100), density=density, rng=rng, format="csr")
        as_matrix(A).gram(np.ones(2000))
        assert (len(made) > 0) == dense


def test_rows_of_negative_weight_are_taken_off_twice():
    weights = np.array([4.0, -9.0, 0.0, 1.0])
    rows = np.array([5, 6, 7, 8])
    (plus, roots, kept), (minus, negative_roots, others) = by_sign(weights, rows)
    assert (plus, minus) == (1.0, -2.0)
    np.testing.assert_array_equal(roots, [2.0, 3.0, 0.0, 1.0])
    np.testing.assert_array_equal(kept, rows)
    np.testing.assert_array_equal(negative_roots, [3.0])
    np.testing.assert_array_equal(others, [6])
    assert [part[::2] for part in by_sign(np.abs(weights), None)] == [(1.0, None)]
    assert [part[::2] for part in by_sign(-np.ones(4), None)] == [(-1.0, None)]


@given(n=st.integers(1, 400), columns=st.integers(1, 20), block=st.sampled_from([1, 1 << 20]))
@settings(max_examples=60, deadline=None)
def test_products_with_few_and_with_many_columns_are_exact(kind, n, columns, block):
    rng = np.random.default_rng([n, columns])
    A = rng.standard_normal((n, 5))
    X, Y = rng.standard_normal((5, columns)), rng.standard_normal((n, columns))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(softres.matrices.dense, "BLOCK_BYTES", block)
        matrix = as_matrix(kind(A))
        right, left = matrix.matmul(matrix.asarray(X)), matrix.rmatmul(matrix.asarray(Y))
    assert (np.abs(as_numpy(right) - A @ X) <= 1e-13 * (np.abs(A) @ np.abs(X))).all()
    assert (np.abs(as_numpy(left) - A.T @ Y) <= 1e-13 * (np.abs(A).T @ np.abs(Y))).all()
