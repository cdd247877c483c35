"""Matrix Market files come back as SciPy wrote them; damaged ones are errors, not crashes."""

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
        ("", "Not a Matrix Market file"),
        ("1 2 3\n", "Not a Matrix Market file"),
        ("%%MatrixMarket vector coordinate real general\n", "Premature EOF"),
        ("%%MatrixMarket matrix coordinate complex general\n1 1 1\n1 1 1 0\n", "not real"),
        ("%%MatrixMarket matrix array pattern general\n1 1\n1\n", "may not be pattern"),
        ("%%MatrixMarket matrix coordinate real symmetric\n3 1 1\n2 1 5\n", "exceeds matrix"),
        ("%%MatrixMarket matrix array real general\n99999999 99999999\n1\n", "takes 7.45e.07 GiB"),
        (HEAD, "Premature EOF"),
        (HEAD + "2 2\n", "Invalid integer"),
        (HEAD + "2 two 1\n", "Invalid integer"),
        (HEAD + "2 2 99999999999999999999\n", "out of range"),
        (HEAD + "2 2 2\n1 1 5\n", "Expected another 1 lines"),
        (HEAD + "2 2 1\n1 1 5\n2 2 5\n", "Too many lines"),
        (HEAD + "2 2 1\n3 1 5\n", "Row index out of bounds"),
        (HEAD + "2 2 1\n0 1 5\n", "Row index out of bounds"),
        (HEAD + "2 2 1\n1 3 5\n", "Column index out of bounds"),
        (HEAD + "2 2 1\n1.5 1 5\n", "Invalid integer"),
        (HEAD + "2 2 2\n1 1 5\n1\n", "Invalid integer"),
        (HEAD + "2 2 1\n1 1 five\n", "Invalid floating-point"),
        (HEAD + "2 2 1\n1 1 1.5\0e3\n", "no text"),
    ],
)
def test_a_file_that_is_no_real_matrix_says_why(text, message, tmp_path):
    path = tmp_path / "A.mtx"
    path.write_text(text)
    with pytest.raises(ValueError, match=message) as error:
        read_matrix_market(path)
    assert "\n" not in str(error.value)
