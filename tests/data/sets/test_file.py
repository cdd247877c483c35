"""A user's own data in .npz: what it may hold, and what is said of a file that cannot be used."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from softres.common.errors import InputError
from softres.data.sets.file import File, load_file

A = np.random.default_rng(0).standard_normal((20, 3))
B = np.full(20, 0.05)


@pytest.fixture
def saved(tmp_path):
    """Return a function that saves arrays and gives the options that read them."""

    def save(**arrays):
        path = tmp_path / "mine.npz"
        np.savez(path, **arrays)
        return File(str(path))

    return save


def test_a_dense_matrix_its_target_and_its_weights(saved):
    instance = load_file(saved(A=A, b=B, w=2 * B))
    np.testing.assert_array_equal(instance.A, A)
    np.testing.assert_array_equal(instance.b, B)
    np.testing.assert_array_equal(instance.w, 2 * B)


def test_weights_may_be_left_out(saved):
    assert load_file(saved(A=A, b=B)).w is None


def test_numbers_of_other_kinds_become_doubles(saved):
    options = saved(A=np.asfortranarray(A * 100).astype(np.int32), b=(B / 2).astype(np.float32))
    instance = load_file(options)
    assert instance.A.dtype == instance.b.dtype == np.float64
    assert instance.A.flags.c_contiguous
    np.testing.assert_array_equal(instance.A, (A * 100).astype(np.int32))


def test_shares_in_single_precision_sum_to_one(saved):
    assert load_file(saved(A=A, b=B.astype(np.float32))).b.sum() == pytest.approx(1.0)


def test_a_sparse_matrix_as_scipy_saves_it(tmp_path):
    matrix = sparse.csr_array(A * (A > 0))
    sparse.save_npz(tmp_path / "sparse.npz", matrix)
    with np.load(tmp_path / "sparse.npz") as parts:
        np.savez(tmp_path / "mine.npz", **parts, b=B)
    instance = load_file(File(str(tmp_path / "mine.npz")))
    assert sparse.issparse(instance.A)
    np.testing.assert_array_equal(instance.A.toarray(), matrix.toarray())


def test_the_path_may_start_at_the_home_folder(saved, tmp_path, monkeypatch):
    saved(A=A, b=B)
    monkeypatch.setenv("HOME", str(tmp_path))
    options = File("~/mine.npz")
    assert load_file(options).shape == (20, 3)
    assert options.fingerprint() == File(str(tmp_path / "mine.npz")).fingerprint()


def changed(array, index, value):
    array = array.copy()
    array[index] = value
    return array


CSR = {"data": np.ones(2), "indices": np.array([0, 1]), "shape": np.array([20, 3])}


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"A": changed(A, (3, 1), np.nan), "b": B}, "A holds NaN or infinite values"),
        ({"A": A, "b": changed(B, 2, np.inf)}, "b holds NaN or infinite values"),
        ({"A": A, "b": changed(B, 2, -0.05)}, r"b must be non-negative.* -0\.05"),
        ({"A": A, "b": B[:5]}, r"b must have shape \(20,\), not \(5,\)"),
        ({"A": A, "b": B[None]}, r"b must be a real vector, not float64 of shape \(1, 20\)"),
        ({"A": A, "b": B * 1j}, "b must be a real vector"),
        ({"A": A, "b": B, "w": B[:5]}, r"w must have shape \(20,\), not \(5,\)"),
        ({"A": A * 1j, "b": B}, "A must be a real matrix, not 2-dimensional complex128"),
        ({"A": A.ravel(), "b": B}, "A must be a real matrix, not 1-dimensional float64"),
        ({"A": A.T, "b": B[:3]}, "A must have n >= d >= 1"),
        ({"A": A.astype(object), "b": B}, "cannot be read .* allow_pickle=False"),
        ({"A": A, "b": B.astype(object)}, "cannot be read .* allow_pickle=False"),
        ({"A": A}, "holds no array b; it holds A"),
        ({}, "holds no array b; it holds nothing"),
        ({"b": B}, "holds no array A and no parts of a sparse matrix"),
        ({**CSR, "indptr": np.array([0, 2]), "b": B}, "its sparse matrix is not valid"),
        (
            {**CSR, "indptr": np.r_[0, np.full(20, 2)], "indices": np.array([0, 9]), "b": B},
            "its sparse matrix is not valid",
        ),
    ],
)
def test_a_file_that_is_no_instance_is_refused_by_name(saved, arrays, message):
    options = saved(**arrays)
    with pytest.raises(InputError, match=rf"data\.path={options.path}: .*{message}"):
        load_file(options)


@pytest.mark.parametrize("kept", [0, 10, 300, -1])
def test_a_file_that_was_cut_off_is_refused(saved, kept, tmp_path):
    options = saved(A=A, b=B)
    content = (tmp_path / "mine.npz").read_bytes()
    (tmp_path / "mine.npz").write_bytes(content[:kept])
    with pytest.raises(InputError, match=r"mine\.npz: cannot be read as a \.npz file"):
        load_file(options)


def test_one_changed_byte_is_noticed(saved, tmp_path):
    options = saved(A=A, b=B)
    content = bytearray((tmp_path / "mine.npz").read_bytes())
    content[300] ^= 1  # inside A
    (tmp_path / "mine.npz").write_bytes(content)
    with pytest.raises(InputError, match=r"cannot be read as a \.npz file \(Bad CRC"):
        load_file(options)


def test_a_text_file_is_refused(tmp_path):
    (tmp_path / "text.npz").write_text("A,b\n1,2\n")
    message = r"text\.npz: cannot be read as a \.npz file \(it is none, whatever its name says\)$"
    with pytest.raises(InputError, match=message):
        load_file(File(str(tmp_path / "text.npz")))


def test_a_single_array_under_a_wrong_name_is_refused(tmp_path):
    np.save(tmp_path / "array.npy", A)
    (tmp_path / "array.npy").rename(tmp_path / "array.npz")
    with pytest.raises(InputError, match=r"array\.npz: not a \.npz file"):
        load_file(File(str(tmp_path / "array.npz")))


def test_a_file_that_is_not_there_is_named(tmp_path):
    options = File(str(tmp_path / "missing.npz"))
    with pytest.raises(InputError, match=r"missing\.npz: No such file"):
        options.fingerprint()
    with pytest.raises(InputError, match=r"missing\.npz: .*No such file"):
        load_file(options)
    with pytest.raises(InputError, match=r"data\.path: data=file needs the path"):
        File()
    with pytest.raises(InputError, match=r"data\.path=a\.xlsx: allowed are \.npz, \.npy"):
        File("a.xlsx")
