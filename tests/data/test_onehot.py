"""One-hot matrices and the row names that go with them."""

from __future__ import annotations

import numpy as np

from softres.data.onehot import RowLabels, one_hot

COLOUR = np.array([1, 0, -1, 2], dtype=np.int16)
SIZE = np.array([0, 3, 1, 1])


def test_each_category_has_its_columns_and_unknown_values_have_no_one():
    A = one_hot([COLOUR, SIZE], [3, 2])
    expected = [
        [0, 1, 0, 1, 0],
        [1, 0, 0, 0, 0],  # size 3 has no column
        [0, 0, 0, 0, 1],  # colour unknown
        [0, 0, 1, 0, 1],
    ]
    np.testing.assert_array_equal(A.toarray(), expected)
    assert A.dtype == np.float64
    assert A.has_canonical_format
    A.check_format(full_check=True)


def test_a_row_without_any_entry_is_kept():
    A = one_hot([np.array([-1, 0])], [1])
    np.testing.assert_array_equal(A.toarray(), [[0], [1]])


def test_labels_join_the_names_and_leave_out_what_is_unknown():
    labels = RowLabels([COLOUR, SIZE], [("red", "green", "blue"), ("S", "M", "L", "XL")])
    assert list(labels) == ["green S", "red XL", "M", "blue M"]
    assert len(labels) == 4
    assert labels[-1] == "blue M"
    assert list(labels[1:3]) == ["red XL", "M"]
    assert labels.index("M") == 2
