"""Many weighted Gram matrices at once are those formed one by one."""

from __future__ import annotations

import numpy as np
import pytest

from softres.matrices import as_matrix
from softres.matrices.backends import as_numpy
from softres.solvers.many import grams
from softres.solvers.many.grams import weighted_grams


@pytest.mark.parametrize("k", [1, grams.FEWEST, 17])
@pytest.mark.parametrize("d", [1, 5, 70])
def test_products_of_columns_give_the_gram_matrices(k, d):
    rng = np.random.default_rng(d)
    A = rng.standard_normal((2000, d))
    weights = rng.standard_normal((k, 2000)) * 10.0 ** rng.uniform(-30, 5, size=(k, 1))
    expected = np.stack([(A.T * row) @ A for row in weights])
    # Weights of both signs cancel: rounding is relative to the sum of absolute values.
    size = np.stack([(np.abs(A.T) * np.abs(row)) @ np.abs(A) for row in weights])
    for single, unit in ((False, 1e-14), (True, 3e-6)):
        actual = weighted_grams(as_matrix(A), weights, single)
        assert (np.abs(actual - expected) <= unit * size).all()
        np.testing.assert_array_equal(actual, np.swapaxes(actual, 1, 2))


def test_wide_matrices_are_formed_one_by_one(monkeypatch):
    rng = np.random.default_rng(0)
    A, weights = rng.standard_normal((50, 8)), rng.random((9, 50))
    narrow = weighted_grams(as_matrix(A), weights, False)
    monkeypatch.setattr(grams, "WIDEST", 7)
    monkeypatch.delattr(grams, "_by_products")
    np.testing.assert_allclose(weighted_grams(as_matrix(A), weights, False), narrow, rtol=1e-12)


def test_every_storage_gives_the_same_and_counts_them(kind):
    rng = np.random.default_rng(1)
    A, weights = rng.standard_normal((50, 4)), rng.standard_normal((8, 50))
    matrix = as_matrix(kind(A))
    actual = weighted_grams(matrix, matrix.asarray(weights), False)
    np.testing.assert_allclose(
        as_numpy(actual), np.einsum("ij,ki,il->kjl", A, weights, A), rtol=1e-10, atol=1e-12
    )
    assert matrix.counter.grams == 8


def test_weights_that_are_not_numbers_give_no_numbers():
    A, weights = np.ones((50, 2)), np.ones((7, 50))
    weights[3, 4] = np.inf
    with np.errstate(all="ignore"):
        actual = weighted_grams(as_matrix(A), weights, True)
    assert not np.isfinite(actual[3]).any()
    np.testing.assert_array_equal(np.delete(actual, 3, 0), 50.0)
