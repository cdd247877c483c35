"""Matrix Market files agree with SciPy's writer; damaged ones are errors, not crashes."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse
from scipy.io import mmwrite

from softres.data.files.matrix_market import read_matrix_market

RNG = np.random.default_rng(0)
A = RNG.standard_normal((7, 7)) * (RNG.random((7, 7)) < 0.5)


@pytest.mark.parametrize(
    ("matrix", "options"),
    [
        (A[:, :3], {}),
        (np.round(10 * A), {"field": "integer"}),
        (A + A.T, {"symmetry": "symmetric"}),
        (A - A.T, {"symmetry": "skew-symmetric"}),
        ((A != 0) * 1.0, {"field": "pattern"}),
    ],
)
def test_what_scipy_writes_comes_back(matrix, options, tmp_path):
    path = tmp_path / "A.mtx"
    mmwrite(path, sparse.coo_array(matrix), comment="two\nlines", **options)
    found = read_matrix_market(path)
    assert sparse.issparse(found)
    assert found.shape == matrix.shape
    np.testing.assert_allclose(found.toarray(), matrix, rtol=1e-12)


def test_a_dense_matrix_is_stored_by_columns(tmp_path):
    path = tmp_path / "A.mtx"
    mmwrite(path, A[:, :3], symmetry="general")
    found = read_matrix_market(path)
    assert isinstance(found, np.ndarray)
    np.testing.assert_allclose(found, A[:, :3], rtol=1e-12)


def test_no_cut_ends_the_process_and_only_digits_of_the_last_number_can_be_lost(tmp_path):
    path = tmp_path / "A.mtx"
    mmwrite(path, sparse.coo_array(A[:, :3]))
    whole = path.read_bytes()
    last = len(whole.rstrip(b"\n").rsplit(b"\n", 1)[0])
    for kept in range(len(whole)):
        path.write_bytes(whole[:kept])
        if kept <= last:
            with pytest.raises((ValueError, EOFError)):
                read_matrix_market(path)
            continue
        try:
            found = read_matrix_market(path)
        except ValueError:
            continue
        assert np.count_nonzero(np.nan_to_num(found.toarray(), nan=1) != A[:, :3]) <= 1


HEAD = "%%MatrixMarket matrix coordinate real general\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1 2 3\n", "first line"),
        ("%%MatrixMarket vector coordinate real general\n", "first line"),
        ("%%MatrixMarket matrix coordinate complex general\n1 1 1\n1 1 1 0\n", "not real"),
        ("%%MatrixMarket matrix array real symmetric\n1 1\n1\n", "not supported"),
        ("%%MatrixMarket matrix array pattern general\n1 1\n1\n", "announces a matrix"),
        ("%%MatrixMarket matrix coordinate real symmetric\n3 1 1\n2 1 5\n", "square"),
        (HEAD, "ends before"),
        (HEAD + "2 2\n", "announces a matrix in coordinate"),
        (HEAD + "2 two 1\n", "two"),
        (HEAD + "2 2 2\n1 1 5\n", "announces 2 entries, but holds 1"),
        (HEAD + "2 2 1\n1 1 5\n2 2 5\n", "announces 1 entries, but holds 2"),
        (HEAD + "2 2 1\n3 1 5\n", "outside the 2 x 2"),
        (HEAD + "2 2 1\n0 1 5\n", "outside the 2 x 2"),
        (HEAD + "2 2 1\n1.5 1 5\n", "outside the 2 x 2"),
        (HEAD + "2 2 2\n1 1 5\n1\n", "outside the 2 x 2"),
        (HEAD + "2 2 1\n1 1 five\n", "five"),
    ],
)
def test_a_file_that_is_no_real_matrix_says_why(text, message, tmp_path):
    path = tmp_path / "A.mtx"
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        read_matrix_market(path)
