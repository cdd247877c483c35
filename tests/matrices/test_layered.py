"""The matrix of several layers: blocks, rows, and what it refuses."""

from __future__ import annotations

import numpy as np
import pytest

from softres import InputError
from softres.matrices.backends import as_numpy
from softres.matrices.layered import layered_matrix


def test_blocks_of_row_numbers_are_those_rows_gram_matrix(kind):
    rng = np.random.default_rng(2)
    for matrices in (kind(rng.random((9, 2))), [kind(rng.random((9, 2))) for _ in range(2)]):
        matrix = layered_matrix(matrices, 2)
        weights = rng.standard_normal((2, 2, 9))
        weights = weights + weights.transpose(1, 0, 2)
        rows = np.array([7, 2, 2, 5])
        whole = as_numpy(matrix.matmul(matrix.asarray(np.eye(4)))).reshape(2, 9, 4)
        expected = np.einsum(
            "lid,lmi,mie->de", *(whole[:, rows], weights[:, :, rows], whole[:, rows])
        )
        found = matrix.gram(matrix.asarray(weights[:, :, rows]), rows)
        np.testing.assert_allclose(as_numpy(found), expected, atol=1e-12)


def test_weights_of_another_shape_are_an_error_that_says_which_is_wanted():
    with pytest.raises(InputError, match=r"\(2, 2, 4\)"):
        layered_matrix(np.eye(4, 2), 2).gram(np.ones((2, 4)))
