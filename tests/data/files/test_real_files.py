"""Matrices as the field's data sets and other programs have them, and files that have no end."""

from __future__ import annotations

import bz2
import gzip
import os
import tracemalloc

import numpy as np
import pytest
from scipy import sparse
from scipy.io import mmwrite

from softres.common.errors import InputError
from softres.data.files.budget import reading_within
from softres.data.sets.file import File, load_file

RNG = np.random.default_rng(0)
A = RNG.standard_normal((20, 3))
B = np.full(20, 0.05)


def read(path, *more, **options):
    return load_file(File(str(path), *map(str, more), **options))


def refused(message, path, *more, limit=None, **options):
    with reading_within(limit), pytest.raises(InputError, match=message) as caught:
        read(path, *more, **options)
    assert "\n" not in str(caught.value)


@pytest.fixture
def b(tmp_path):
    np.save(tmp_path / "b.npy", B)
    return tmp_path / "b.npy"


# --- .npz -----------------------------------------------------------------------------------------


def test_a_target_of_one_column_is_a_vector(tmp_path):
    np.savez(tmp_path / "a.npz", A=A, b=B[:, None], w=2 * B[:, None])
    instance = read(tmp_path / "a.npz")
    np.testing.assert_array_equal(instance.b, B)
    np.testing.assert_array_equal(instance.w, 2 * B)


def test_arrays_of_other_names(tmp_path, b):
    np.savez(tmp_path / "a.npz", X=A, y=B / 2, v=2 * B, words=np.array(["x", None]))
    refused("holds no array b; it holds .*X, y, v, words.*; data.b=NAME", tmp_path / "a.npz")
    refused("holds no array Y; it holds X, y", tmp_path / "a.npz", A="X", b="Y")
    instance = read(tmp_path / "a.npz", "y", "v", A="X")
    for found, values in ((instance.A, A), (instance.b, B / 2), (instance.w, 2 * B)):
        np.testing.assert_array_equal(found, values)
    np.testing.assert_array_equal(read(tmp_path / "a.npz", b, A="X").b, B)


def test_the_first_value_that_is_not_finite_is_named(tmp_path, b):
    dense = A.copy()
    dense[4, 1] = np.inf
    np.savez(tmp_path / "a.npz", A=dense, b=B)
    refused(r"the first is inf at A\[4, 1\]$", tmp_path / "a.npz")
    thin = sparse.lil_array(A * (A > 0))
    thin[7, 2] = np.nan
    sparse.save_npz(tmp_path / "s.npz", thin.tocsr())
    refused(r"the first is nan at A\[7, 2\]$", tmp_path / "s.npz", b)


# --- Matrix Market --------------------------------------------------------------------------------


def test_a_gram_matrix_that_scipy_wrote(tmp_path, b):
    S = RNG.standard_normal((20, 20))
    for kind, G in (("symmetric", S + S.T), ("skew-symmetric", S - S.T)):
        mmwrite(tmp_path / "G.mtx", G)
        head = (tmp_path / "G.mtx").read_text().splitlines()[0].strip()
        assert head == f"%%MatrixMarket matrix array real {kind}"
        np.testing.assert_allclose(read(tmp_path / "G.mtx", b).A, G, rtol=1e-12)


def test_whole_numbers_without_a_sign(tmp_path, b):
    counts = RNG.integers(0, 9, (20, 3)).astype(np.uint64)
    mmwrite(tmp_path / "u.mtx", counts)
    assert b"array unsigned-integer" in (tmp_path / "u.mtx").read_bytes()
    np.testing.assert_array_equal(read(tmp_path / "u.mtx", b).A, counts)
    entries = sparse.coo_array(counts)
    text = "%%MatrixMarket matrix coordinate unsigned-integer general\n"
    text += f"20 3 {entries.nnz}\n" + "".join(
        f"{i + 1} {j + 1} {v}\n" for i, j, v in zip(*entries.coords, entries.data, strict=True)
    )
    (tmp_path / "c.mtx.bz2").write_bytes(bz2.compress(text.encode()))
    np.testing.assert_array_equal(read(tmp_path / "c.mtx.bz2", b).A.toarray(), counts)


# --- svmlight -------------------------------------------------------------------------------------

SVM = "0.5 1:1.5 3:-2 # first\n0.25 2:1\n\n0.25 qid:1 1:3 3:4e-1\n"
SVM_A = np.array([[1.5, 0, -2], [0, 1, 0], [3, 0, 0.4]])


@pytest.mark.parametrize("name", ["a.svm", "a.svmlight", "a.libsvm", "a9a", "a.libsvm.bz2"])
def test_rows_with_labels(tmp_path, name):
    content = SVM.encode()
    (tmp_path / name).write_bytes(bz2.compress(content) if name.endswith("bz2") else content)
    instance = read(tmp_path / name, format="" if "." in name else "svmlight")
    assert sparse.issparse(instance.A)
    np.testing.assert_array_equal(instance.A.toarray(), SVM_A)
    np.testing.assert_array_equal(instance.b, [0.5, 0.25, 0.25])


def test_columns_may_count_from_zero_and_shares_may_stand_elsewhere(tmp_path):
    (tmp_path / "a.svm").write_text("+1 0:1.5 2:-2\n-1 1:1\n+1 0:3 2:0.4\n")
    np.save(tmp_path / "b.npy", [0.5, 0.25, 0.25])
    np.testing.assert_array_equal(read(tmp_path / "a.svm", tmp_path / "b.npy").A.toarray(), SVM_A)
    refused("b must be non-negative, but its least entry is -1", tmp_path / "a.svm")


@pytest.mark.parametrize("text", ["", "# nothing\n", "1 2\n", "one 1:2\n", "1,2 1:1\n", "1 1:x\n"])
def test_what_is_no_such_file_is_refused(tmp_path, text):
    (tmp_path / "a.svm").write_text(text)
    refused("cannot be read as an svmlight file", tmp_path / "a.svm")


# --- Files without an end, and more than fits -----------------------------------------------------


@pytest.mark.parametrize("key", ["path", "b", "w"])
@pytest.mark.parametrize("kind", ["pipe", "device", "folder"])
def test_what_is_no_file_is_never_opened(tmp_path, b, key, kind):
    odd = tmp_path / "odd.npy"
    if kind == "pipe":
        os.mkfifo(odd)
    elif kind == "device":
        odd.symlink_to("/dev/zero")
    else:
        odd.mkdir()
    np.save(tmp_path / "A.npy", A)
    options = {"path": str(tmp_path / "A.npy"), "b": str(b), key: str(odd)}
    message = rf"^data\.{key}=.*odd\.npy: must be a file, and is a .*{kind}"
    with pytest.raises(InputError, match=message):
        File(**options).fingerprint()
    with pytest.raises(InputError, match=message):
        load_file(File(**options))


HEAD = b"%%MatrixMarket matrix coordinate real general\n"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (HEAD + b"1000000000000 3 1\n1 1 1.0\n", "announces takes 7.45e.03 GiB, and this machine"),
        (HEAD + b"20 3 1000000000000\n1 1 1.0\n", "announces takes 2.24e.04 GiB"),
        (HEAD + b"20 3 10000\n1 1 1.0\n", "announces 10000 entries and has"),
        (HEAD + b"%" + b"x" * (1 << 20) + b"\n20 3 1\n1 1 1\n", "its comments have more than"),
        (HEAD + (b"%" + b"x" * 999 + b"\n") * 2000 + b"20 3 1\n1 1 1\n", "comments have more than"),
        (HEAD + b"20 3 1\n1 1 1\n" + b"\n" * (1 << 20), "more than the .* bytes that its head"),
    ],
)
def test_a_head_is_not_believed(tmp_path, b, content, message):
    path = tmp_path / "A.mtx.gz"
    path.write_bytes(gzip.compress(content))
    tracemalloc.start()
    refused(message, path, b)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 20 * (1 << 20)


def write_large(folder, n=100_000):
    """Write A of 10 columns, n rows, in every format, and b."""
    import pandas as pd

    large = np.ones((n, 10))
    np.save(folder / "b.npy", np.full(n, 1 / n))
    np.save(folder / "A.npy", large)
    np.savez_compressed(folder / "A.npz", A=large)
    sparse.save_npz(folder / "S.npz", sparse.csr_array(large))
    table = pd.DataFrame(large, columns=list("cdefghijkl")).assign(b=1 / n)
    table.to_parquet(folder / "A.parquet")
    (folder / "A.csv.gz").write_bytes(gzip.compress(b"c,b\n" + b"1.000000,0\n" * n))
    (folder / "A.svm.gz").write_bytes(gzip.compress(b"1 1:1.000000\n" * n))
    (folder / "A.mtx.gz").write_bytes(
        gzip.compress(b"%%%%MatrixMarket matrix array real general\n%d 10\n" % n + b"1\n" * 10 * n)
    )


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    folder = tmp_path_factory.mktemp("large")
    write_large(folder)
    return folder


@pytest.mark.parametrize(
    "name",
    ["A.npy", "A.npz", "S.npz", "A.parquet", "A.csv.gz", "A.svm.gz", "A.mtx.gz"],
)
def test_more_than_memory_allows_is_refused_before_it_is_taken(large, name):
    options = () if name.split(".")[1] in ("parquet", "csv", "svm") else (large / "b.npy",)
    tracemalloc.start()
    refused(r"takes .* GiB, and memory_limit=0\.0005", large / name, *options, limit=0.0005)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 * (1 << 20)  # and A takes eight


def test_a_short_array_that_announces_a_long_one(tmp_path, b):
    head = np.lib.format.header_data_from_array_1_0(np.empty((1, 3)))
    with (tmp_path / "A.npy").open("wb") as file:
        np.lib.format.write_array_header_1_0(file, {**head, "shape": (10**12, 3)})
    refused("an array of shape .* takes 2.24e.04 GiB, and this machine has", tmp_path / "A.npy", b)
    with (tmp_path / "A.npy").open("wb") as file:
        np.lib.format.write_array_header_1_0(file, {**head, "shape": (10**6, 3)})
    refused("cannot be read .* announces 24000000 bytes and has 128", tmp_path / "A.npy", b)
