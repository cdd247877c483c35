"""An instance is checked as it is made, and knows its size."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from softres.common.errors import InputError
from softres.data.instance import Instance

A = np.arange(12.0).reshape(4, 3)
B = np.full(4, 0.25)


def with_entry(array, index, value):
    changed = array.copy()
    changed[index] = value
    return changed


def test_size_of_a_dense_and_of_a_sparse_matrix():
    dense = Instance("mine", A, B)
    assert (dense.shape, dense.nnz) == ((4, 3), 12)
    thin = Instance("mine", sparse.csr_array(A), B)
    assert (thin.shape, thin.nnz) == ((4, 3), 11)  # the entry 0 is not stored


@pytest.mark.parametrize("total", [1.0, 0.5, 1e-6, 0.0, 1 + 1e-10])
def test_a_target_may_sum_to_anything_up_to_one(total):
    assert Instance("mine", A, B * total).b.sum() == pytest.approx(total)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"A": A.ravel()}, r"A must have two axes, but its shape is \(12,\)"),
        ({"A": A.T}, "A must have n >= d >= 1 rows and columns, not 3 x 4"),
        ({"A": A[:, :0]}, "not 4 x 0"),
        ({"b": B[:3]}, r"b must have shape \(4,\), not \(3,\)"),
        ({"b": B[:, None]}, r"b must have shape \(4,\), not \(4, 1\)"),
        ({"w": B[:3]}, r"w must have shape \(4,\), not \(3,\)"),
        ({"A": with_entry(A, (1, 2), np.nan)}, "A holds NaN or infinite values"),
        ({"A": sparse.csr_array(with_entry(A, (1, 2), np.inf))}, "A holds NaN or infinite values"),
        ({"b": with_entry(B, 0, np.nan)}, "b holds NaN or infinite values"),
        ({"w": with_entry(B, 0, np.inf)}, "w holds NaN or infinite values"),
        ({"b": with_entry(B, 0, -0.1)}, r"b must be non-negative, but its least entry is -0\.1"),
        ({"b": 2 * B}, "b: shares sum to at most 1, but these sum to 2; divide by that"),
    ],
)
def test_data_that_are_no_instance_are_refused_by_name(arrays, message):
    with pytest.raises(InputError, match=f"data=mine: .*{message}"):
        Instance("mine", **{"A": A, "b": B} | arrays)
