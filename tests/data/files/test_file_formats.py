"""A user's own data in each format but .npz: what is read, and what is said of what cannot be."""

from __future__ import annotations

import gzip
import os
import pickle

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from scipy.io import mmwrite

from softres.common.errors import InputError
from softres.data.sets.file import File, load_file

RNG = np.random.default_rng(0)
A = RNG.standard_normal((20, 3)) * (RNG.random((20, 3)) < 0.7)
B = np.arange(20.0) / 190
W = np.linspace(0.5, 1.5, 20)
TABLE = pd.DataFrame(A, columns=["x1", "x2", "x3"]).assign(b=B, w=W)


class Bomb:
    """Unpickled, it would make a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


@pytest.fixture
def folder(tmp_path):
    """b and w as .npy beside the file under test."""
    np.save(tmp_path / "b.npy", B)
    np.save(tmp_path / "w.npy", W)
    return tmp_path


def compressed(path, write):
    plain = path.with_suffix("")
    write(plain)
    path.write_bytes(gzip.compress(plain.read_bytes()))


def mtx(path):
    mmwrite(path, sparse.coo_array(A))


WRITERS = {
    "A.npy": lambda path: np.save(path, A),
    "A.npz": lambda path: np.savez(path, A=A),
    "A.mtx": mtx,
    "A.mtx.gz": lambda path: compressed(path, mtx),
    "dense.mtx": lambda path: mmwrite(path, A),
    "t.csv": lambda path: TABLE.to_csv(path, index=False),
    "t.csv.gz": lambda path: TABLE.to_csv(path, index=False),
    "t.parquet": TABLE.to_parquet,
}
for _kind in ("csr", "csc", "coo", "bsr", "dia"):
    WRITERS[f"{_kind}.npz"] = lambda path, kind=_kind: sparse.save_npz(
        path, sparse.coo_array(A).asformat(kind)
    )
    WRITERS[f"old_{_kind}.npz"] = lambda path, kind=_kind: sparse.save_npz(
        path, sparse.coo_matrix(A).asformat(kind)
    )
DENSE = {"A.npy", "A.npz", "dense.mtx", "t.csv", "t.csv.gz", "t.parquet"}


@pytest.mark.parametrize("name", WRITERS)
def test_each_format_gives_the_same_instance(name, folder):
    WRITERS[name](folder / name)
    if name.startswith("t."):
        options = File(str(folder / name), w="w")
    else:
        options = File(str(folder / name), str(folder / "b.npy"), str(folder / "w.npy"))
    instance = load_file(options)
    assert sparse.issparse(instance.A) == (name not in DENSE)
    dense = instance.A.toarray() if sparse.issparse(instance.A) else instance.A
    np.testing.assert_allclose(dense, A, rtol=1e-12)
    np.testing.assert_allclose(instance.b, B, rtol=1e-12)
    np.testing.assert_allclose(instance.w, W, rtol=1e-12)
    assert hash(options) == hash(File(options.path, options.b, options.w))


def test_the_target_may_be_in_matrix_market_format_too(folder):
    np.save(folder / "A.npy", A)
    mmwrite(folder / "b.mtx", B[:, None])
    mmwrite(folder / "w.mtx", sparse.coo_array(W[:, None]))
    options = File(*(str(folder / name) for name in ("A.npy", "b.mtx", "w.mtx")))
    np.testing.assert_allclose(load_file(options).b, B, rtol=1e-12)
    np.testing.assert_allclose(load_file(options).w, W, rtol=1e-12)


@pytest.mark.parametrize("name", ["t.csv", "t.parquet"])
def test_columns_of_a_table_are_chosen_by_name_and_in_order(name, folder):
    renamed = TABLE.rename(columns={"b": "share"}).assign(label="text", flag=True, count=range(20))
    write = renamed.to_parquet if name.endswith("parquet") else renamed.to_csv
    write(folder / name)
    options = File(str(folder / name), "share", columns=["x3", "flag", "count", "x1"])
    instance = load_file(options)
    expected = np.column_stack([A[:, 2], np.ones(20), np.arange(20), A[:, 0]])
    np.testing.assert_allclose(instance.A, expected, rtol=1e-12)
    np.testing.assert_allclose(instance.b, B, rtol=1e-12)
    assert instance.w is None
    assert instance.A.flags.c_contiguous


def test_an_index_that_pandas_stored_is_no_column_of_A(folder):
    TABLE.drop(columns="w").iloc[::-1].to_parquet(folder / "t.parquet")
    assert load_file(File(str(folder / "t.parquet"))).shape == (20, 3)


def test_a_change_of_either_file_is_another_instance(folder):
    np.save(folder / "A.npy", A)
    options = File(str(folder / "A.npy"), str(folder / "b.npy"))
    before = options.fingerprint()
    assert options.fingerprint() == before
    np.save(folder / "b.npy", B[::-1])
    changed = options.fingerprint()
    assert changed != before
    np.save(folder / "A.npy", A + 1)
    assert options.fingerprint() not in (before, changed)


def refused(message, *arguments, **options):
    with pytest.raises(InputError, match=message) as caught:
        load_file(File(*map(str, arguments), **options))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kept", [0, 20, 0.5, -1])
@pytest.mark.parametrize("name", ["A.npy", "csr.npz", "A.mtx", "A.mtx.gz", "t.parquet", "t.csv.gz"])
def test_a_file_that_was_cut_off_is_refused(name, kept, folder):
    path = folder / name
    WRITERS[name](path)
    content = path.read_bytes()
    kept = int(len(content) * kept) if kept == 0.5 else kept
    # The last byte of a text is the end of its line, which may be missing.
    path.write_bytes(content[: -30 if (kept, path.suffix) == (-1, ".mtx") else kept])
    target = "" if name.startswith("t.") else folder / "b.npy"
    refused(rf"data\.path=.*{name}: cannot be read as a .* file \(.+\)$", path, target)


def test_an_empty_or_ragged_table_is_refused(folder):
    path = folder / "t.csv"
    for content, message in {
        "": "cannot be read as a CSV file",
        "x,b\n1,0.5\n2\n": r"cannot be read as a CSV file \(.*Expected 2 columns, got 1",
        "x,b\n1,0.5\n,0.5\n": "A holds NaN",
        "x,b\n1,0.5\n2,\n": "b holds NaN",
        "x,b\n1,0.5\n2,-0.5\n": "b must be non-negative",
        "x,b\n1,1\n2,2\n": "b: shares sum to at most 1, but these sum to 3; divide by that",
        "x,b\n1,half\n2,0.5\n": "column b holds string, not numbers",
        "x,b\na,0.5\nb,0.5\n": r"column x holds string, not numbers; data\.columns",
        "x,y\n1,0.5\n2,0.5\n": r"has no column b; it has x, y; data\.b=COLUMN names another$",
        "b,b\n1,0.5\n2,0.5\n": "has more than one column b",
        "x,x,b\n1,2,0.5\n2,2,0.5\n": "has more than one column x",
        "b\n0.5\n0.5\n": "has no columns for A beside b",
        "x,b\n": "has no rows",
    }.items():
        path.write_text(content)
        refused(rf"data\.path=.*t\.csv: .*{message}", path)


def test_a_column_that_is_not_there_is_named(folder):
    TABLE.to_csv(folder / "t.csv", index=False)
    refused("has no column share; it has x1, x2, x3, b, w; data.b", folder / "t.csv", "share")
    refused("has no column v; it has x1, x2, x3, b, w$", folder / "t.csv", w="v")
    refused("has no column x9;", folder / "t.csv", columns=("x1", "x9"))
    refused(r"data\.columns: only a table", folder / "A.npy", columns=("x1",))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (B[:7], r"b must have shape \(20,\), not \(7,\)"),
        (np.where(B > 0.09, np.nan, B), "b holds NaN"),
        (-B, "b must be non-negative"),
        (3 * B, "b: shares sum to at most 1, but these sum to 3; divide by that"),
        (B * 1j, "b must be a real vector"),
        (np.column_stack([B, B]), "b must be a real vector"),
        (B.astype(object), r"data\.b=.*bad\.npy: cannot be read as a \.npy file"),
    ],
)
def test_a_target_that_cannot_be_used_is_refused(values, message, folder):
    np.save(folder / "A.npy", A)
    np.save(folder / "bad.npy", values, allow_pickle=True)
    refused(message, folder / "A.npy", folder / "bad.npy")


def test_a_missing_target_is_asked_for(folder):
    np.save(folder / "A.npy", A)
    refused(r"holds no array b; it holds A; data\.b=FILE\.npy", folder / "A.npy")
    refused(r"data\.b=.*none\.npy: No such file", folder / "A.npy", "none.npy")
    refused(r"data\.b=b\.txt: allowed are \.npy, \.mtx", folder / "A.npy", "b.txt")
    with pytest.raises(InputError, match=r"data\.b=none\.npy: No such file"):
        File(str(folder / "A.npy"), "none.npy").fingerprint()


@pytest.mark.parametrize(
    "parts",
    [
        {"format": np.array(b"csc"), "data": np.ones(2), "indices": np.array([0, 99]),
         "indptr": np.array([0, 1, 2, 2]), "shape": np.array([20, 3])},
        {"format": np.array(b"coo"), "data": np.ones(1), "row": np.array([99]),
         "col": np.array([0]), "shape": np.array([20, 3])},
        {"format": np.array(b"bsr"), "data": np.ones((1, 2, 3)), "indices": np.array([7]),
         "indptr": np.array([0, *[1] * 10]), "shape": np.array([20, 3])},
        {"format": np.array(b"what"), "data": np.ones(1), "shape": np.array([20, 3])},
        {"format": np.array(b"csr"), "data": np.ones(1)},
    ],
)  # fmt: skip
def test_a_sparse_matrix_with_indices_out_of_range_is_refused(parts, folder):
    np.savez(folder / "A.npz", **parts)
    refused(r"A\.npz: .*its sparse matrix is not valid", folder / "A.npz", folder / "b.npy")


def test_nothing_is_ever_unpickled(folder):
    bomb = np.array([Bomb(folder / "exploded")], dtype=object)
    with (folder / "raw.npy").open("wb") as file:
        pickle.dump(bomb, file)
    np.save(folder / "objects.npy", bomb, allow_pickle=True)
    np.savez(folder / "objects.npz", A=A, b=bomb)
    np.savez(folder / "sparse.npz", format=bomb, data=bomb, b=B)
    for name in ("raw.npy", "objects.npy", "objects.npz", "sparse.npz"):
        refused("cannot be read as|not valid", folder / name, folder / "b.npy")
        assert not (folder / "exploded").exists()
    pickle.loads((folder / "raw.npy").read_bytes())  # the bomb is a real one
    assert (folder / "exploded").exists()
