"""The matrix A in every storage: products, weighted Gram matrices, rows, sketches, passes."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

import softres.matrices.dense
import softres.matrices.sparse
import softres.matrices.sparse_torch
from softres import InputError
from softres.matrices import DesignMatrix, as_matrix
from softres.matrices.backends import as_numpy

ROUNDING = 1e-13


@st.composite
def sparse_arrays(draw):
    """Draw a matrix with zeros, empty rows and empty columns, and rows of different scales."""
    n, d = draw(st.integers(1, 200)), draw(st.integers(1, 7))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    density = draw(st.sampled_from([0.0, 0.05, 0.5, 1.0]))
    A = rng.standard_normal((n, d)) * (rng.random((n, d)) < density)
    return A * 10.0 ** rng.uniform(-3, 3, (n, 1)), rng


@pytest.fixture
def tiny_blocks(monkeypatch):
    """Return a function that makes every block of the Gram and the sketch hold little."""

    def shrink(size: int) -> None:
        monkeypatch.setattr(softres.matrices.dense, "BLOCK_BYTES", size)
        monkeypatch.setattr(softres.matrices.dense, "DEVICE_BLOCK_BYTES", size)
        monkeypatch.setattr(softres.matrices.sparse, "BLOCK_BYTES", size)
        monkeypatch.setattr(softres.matrices.sparse_torch, "BLOCK_BYTES", size)
        monkeypatch.setattr(softres.matrices.sparse_torch, "DEVICE_BLOCK_BYTES", size)
        monkeypatch.setattr(softres.matrices.sparse, "BLOCK_ENTRIES", size)

    return shrink


def check_gram(matrix: DesignMatrix, A: np.ndarray, weights: np.ndarray) -> None:
    given_weights = weights.copy()
    gram = as_numpy(matrix.gram(matrix.asarray(weights)))
    size = np.abs(A).T @ (np.abs(weights)[:, None] * np.abs(A))
    assert (np.abs(gram - A.T @ (weights[:, None] * A)) <= ROUNDING * size + 1e-300).all()
    np.testing.assert_allclose(gram, gram.T, rtol=0, atol=1e-15 * (size.max() + 1e-300))
    np.testing.assert_array_equal(weights, given_weights)


@given(drawn=sparse_arrays(), sign=st.sampled_from(["positive", "negative", "mixed", "zero"]))
@settings(max_examples=80, deadline=None)
@pytest.mark.parametrize("block", [1, 17, 1 << 21])
def test_gram_is_exact_for_weights_of_any_sign_and_any_block_size(kind, block, drawn, sign):
    A, rng = drawn
    n = len(A)
    weights = {
        "positive": rng.random(n),
        "negative": -rng.random(n),
        "mixed": rng.standard_normal(n),
        "zero": np.zeros(n),
    }[sign]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(softres.matrices.dense, "BLOCK_BYTES", block)
        patch.setattr(softres.matrices.dense, "DEVICE_BLOCK_BYTES", block)
        patch.setattr(softres.matrices.sparse, "BLOCK_BYTES", block)
        patch.setattr(softres.matrices.sparse_torch, "BLOCK_BYTES", block)
        patch.setattr(softres.matrices.sparse_torch, "DEVICE_BLOCK_BYTES", block)
        patch.setattr(softres.matrices.sparse, "BLOCK_ENTRIES", block)
        check_gram(as_matrix(kind(A)), A, weights)


def test_gram_adds_blocks_of_positive_and_of_mixed_weights(kind, tiny_blocks):
    # Blocks have 64 rows or more: the first three are positive, the fourth is not.
    rng = np.random.default_rng(0)
    A, weights = rng.standard_normal((250, 4)), rng.random(250)
    weights[[200, 249]] = -3.0
    tiny_blocks(1)
    check_gram(as_matrix(kind(A)), A, weights)


@given(drawn=sparse_arrays(), columns=st.integers(1, 4))
@settings(max_examples=40, deadline=None)
def test_products_take_several_right_hand_sides(kind, drawn, columns):
    A, rng = drawn
    matrix = as_matrix(kind(A))
    n, d = A.shape
    X, Y = rng.standard_normal((d, columns)), rng.standard_normal((n, columns))
    for ours, left, right in (
        (matrix.matmul(matrix.asarray(X)), A, X),
        (matrix.matmul(matrix.asarray(X[:, 0])), A, X[:, 0]),
        (matrix.rmatmul(matrix.asarray(Y)), A.T, Y),
        (matrix.rmatmul(matrix.asarray(Y[:, 0])), A.T, Y[:, 0]),
    ):
        assert tuple(ours.shape) == (left @ right).shape
        bound = ROUNDING * (np.abs(left) @ np.abs(right)) + 1e-300
        assert (np.abs(as_numpy(ours) - left @ right) <= bound).all()


@given(drawn=sparse_arrays())
@settings(max_examples=40, deadline=None)
def test_rows_returns_the_rows_in_the_order_of_the_index(kind, drawn):
    A, rng = drawn
    matrix = as_matrix(kind(A))
    index = rng.integers(0, len(A), rng.integers(1, 30))  # unordered, with repetitions
    rows = matrix.rows(index)
    assert type(rows) is type(matrix)
    assert rows.shape == (len(index), A.shape[1])
    assert rows.nnz == (np.count_nonzero(A[index]) if kind.is_sparse else A[index].size)
    np.testing.assert_array_equal(as_numpy(rows.matmul(rows.asarray(np.eye(A.shape[1])))), A[index])


@given(drawn=sparse_arrays(), m=st.integers(1, 20))
@settings(max_examples=40, deadline=None)
@pytest.mark.parametrize("block", [1, 256 << 20])
def test_sketch_is_the_product_with_the_embedding(kind, block, drawn, m):
    A, rng = drawn
    S = sparse.random_array((m, len(A)), density=0.3, rng=rng).tocsc()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(softres.matrices.sparse_torch, "DEVICE_BLOCK_BYTES", block)
        sketch = as_numpy(as_matrix(kind(A)).sketch(S))
    bound = ROUNDING * (np.abs(S) @ np.abs(A)) + 1e-300
    assert (np.abs(sketch - S @ A) <= bound).all()


def test_passes_are_counted_per_right_hand_side(kind):
    A = np.random.default_rng(0).standard_normal((9, 3))
    matrix = as_matrix(kind(A))
    matrix.matmul(matrix.asarray(np.ones(3)))
    assert (matrix.counter.passes, matrix.counter.grams) == (1, 0)
    matrix.matmul(matrix.asarray(np.ones((3, 4))))
    assert (matrix.counter.passes, matrix.counter.grams) == (5, 0)
    matrix.rmatmul(matrix.asarray(np.ones((9, 2))))
    assert (matrix.counter.passes, matrix.counter.grams) == (7, 0)
    matrix.gram(matrix.asarray(np.ones(9)))
    assert (matrix.counter.passes, matrix.counter.grams) == (7, 1)


def test_work_on_a_sample_of_rows_is_not_counted_on_the_whole(kind):
    matrix = as_matrix(kind(np.ones((9, 3))))
    rows = matrix.rows(np.array([1, 4]))
    rows.gram(rows.asarray(np.ones(2)))
    rows.matmul(rows.asarray(np.ones(3)))
    assert (matrix.counter.passes, matrix.counter.grams) == (0, 0)


def test_float32_stays_float32(kind):
    A = np.random.default_rng(0).standard_normal((200, 3))
    matrix = as_matrix(kind(A, dtype="float32"))
    weights = np.linspace(-1, 2, 200)
    x = matrix.asarray(np.ones(3))
    assert as_numpy(x).dtype == np.float32
    for computed, expected in (
        (matrix.matmul(x), A @ np.ones(3)),
        (matrix.rmatmul(matrix.asarray(weights)), A.T @ weights),
        (matrix.gram(matrix.asarray(weights)), A.T @ (weights[:, None] * A)),
        (matrix.gram(matrix.asarray(np.abs(weights))), A.T @ (np.abs(weights)[:, None] * A)),
    ):
        assert as_numpy(computed).dtype == np.float32
        np.testing.assert_allclose(as_numpy(computed), expected, rtol=0, atol=1e-3)


def test_squared_row_norms(kind, relative_error):
    A = np.random.default_rng(0).standard_normal((50, 4))
    norms = as_matrix(kind(A)).squared_row_norms()
    assert relative_error(norms, (A * A).sum(axis=1)) <= 1e-14


def test_shape_and_entries(kind):
    A = np.diag([1.0, 2.0, 3.0])[:, :2]
    matrix = as_matrix(kind(A))
    assert matrix.shape == (3, 2)
    assert matrix.nnz == (2 if kind.is_sparse else 6)


@pytest.mark.parametrize(
    "A",
    [
        np.arange(6).reshape(3, 2),
        np.asfortranarray(np.arange(6.0).reshape(3, 2)),
        np.arange(24.0).reshape(6, 4)[::2, ::2],
        np.arange(6).reshape(3, 2) > 2,
        [[0, 1], [2, 3], [4, 5]],
        sparse.coo_array(np.arange(6).reshape(3, 2)),
        sparse.csc_matrix(np.arange(6.0).reshape(3, 2)),
        torch.arange(6).reshape(3, 2),
        torch.arange(6.0, dtype=torch.float64).reshape(2, 3).T,
    ],
    ids=["int", "fortran", "strided", "bool", "list", "coo", "csc", "tensor int", "tensor T"],
)
def test_every_kind_of_matrix_a_user_may_have_is_taken(A):
    dense = A.toarray() if sparse.issparse(A) else np.asarray(A)
    matrix = as_matrix(A)
    product = as_numpy(matrix.matmul(matrix.asarray(np.array([1.0, 10.0]))))
    assert product.dtype == np.float64
    np.testing.assert_array_equal(product, dense @ np.array([1.0, 10.0]))
    check_gram(matrix, dense.astype(float), np.array([1.0, -2.0, 0.5]))


def test_a_matrix_with_duplicate_entries_means_their_sum():
    A = sparse.coo_array(([1.0, 2.0, 5.0], ([0, 0, 1], [0, 0, 1])), shape=(2, 2))
    matrix = as_matrix(A)
    np.testing.assert_array_equal(matrix.matmul(np.ones(2)), [3.0, 5.0])
    check_gram(matrix, np.diag([3.0, 5.0]), np.array([1.0, -1.0]))


def test_a_csr_array_with_repeated_entries_means_their_sum():
    A = sparse.csr_array(([1.0, 2.0, 5.0], [0, 0, 1], [0, 2, 3]), shape=(2, 2))
    matrix = as_matrix(A)
    np.testing.assert_array_equal(matrix.matmul(np.ones(2)), [3.0, 5.0])
    check_gram(matrix, np.diag([3.0, 5.0]), np.array([1.0, -1.0]))


def test_a_dense_float64_array_is_not_copied():
    A = np.ones((4, 2))
    assert np.shares_memory(as_matrix(A).array, A)
    tensor = torch.ones((4, 2), dtype=torch.float64)
    assert as_matrix(tensor).tensor.data_ptr() == tensor.data_ptr()


def test_a_design_matrix_is_taken_as_it_is():
    matrix = as_matrix(np.ones((4, 2)))
    assert as_matrix(matrix) is matrix


def test_a_users_sparse_tensor_is_taken_without_a_warning():
    # In a process of its own: torch warns that CSR tensors are in beta only once a process.
    code = (
        "import torch, softres.matrices as m\n"
        "matrix = m.as_matrix(torch.eye(3, 2, dtype=torch.float64).to_sparse())\n"
        "assert matrix.matmul(torch.ones(2, dtype=torch.float64)).tolist() == [1, 1, 0]\n"
        "assert matrix.rmatmul(torch.ones(3, dtype=torch.float64)).tolist() == [1, 1]\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error::UserWarning", "-c", code],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_half_precision_is_refused_or_widened():
    # A is float64 or float32: half precision would lose what the solvers measure.
    try:
        matrix = as_matrix(torch.ones((4, 2), dtype=torch.float16))
    except InputError:
        return
    assert matrix.asarray([1.0]).dtype in (torch.float32, torch.float64)
