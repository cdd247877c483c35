import numpy as np
import pytest

from softres.data.sets import digits


def test_digits_are_a_dense_matrix_of_rank_61():
    instance = digits.load()
    A = instance.A
    assert instance.shape == (1797, 64)
    assert A.dtype == np.float64
    assert A.flags.c_contiguous
    sigma = np.linalg.svd(A, compute_uv=False)
    assert np.linalg.matrix_rank(A) == 61
    assert A.min() == 0
    assert A.max() == 1
    np.testing.assert_allclose([sigma[0], sigma[60]], [137, 0.054], rtol=0.02)


def test_digits_shares_are_a_softmax_that_peaks_at_image_0():
    instance = digits.load()
    assert instance.b.sum() == pytest.approx(1, abs=1e-12)
    assert instance.b.argmax() == 0
    assert (instance.b > 0).all()
    squared = ((instance.A - instance.A[0]) ** 2).sum(axis=1)
    expected = -squared / (0.1 * np.median(squared))
    np.testing.assert_allclose(np.log(instance.b / instance.b[0]), expected, atol=1e-10)


def test_digits_say_where_they_come_from():
    instance = digits.load()
    assert instance.facts["licence"] == "BSD-3-Clause"
    assert "load_digits" in str(instance.facts["source"])
    assert instance.labels is not None
    assert instance.labels[0] == "0 (image 0)"
