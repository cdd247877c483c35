"""Counts and text come back from the arrays that the cache keeps."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from softres.data.files.packed import pack_counts, pack_text, unpack_counts, unpack_text


def test_counts_come_back_as_doubles_and_take_a_byte_each():
    A = sparse.csr_array(np.random.default_rng(0).poisson(0.5, (30, 7)).astype(float))
    packed = pack_counts(A)
    assert packed["data"].dtype == np.uint8
    again = unpack_counts(packed)
    assert again.dtype == np.float64
    np.testing.assert_array_equal(again.toarray(), A.toarray())


@pytest.mark.parametrize("value", [0.5, 256.0, -1.0])
def test_what_is_no_count_is_refused(value):
    with (
        np.errstate(invalid="ignore"),
        pytest.raises(ValueError, match="whole numbers from 0 to 255"),
    ):
        pack_counts(sparse.csr_array(np.array([[value, 1.0]])))


@pytest.mark.parametrize("lines", [(), ("",), ("a", "", "Straße", "\0", "line\nbreak", "☕")])
def test_text_comes_back(lines):
    assert unpack_text(pack_text(lines)) == lines
