"""Folders of row blocks: writing, opening, what is wrong with them, and a run over one."""

from __future__ import annotations

import json

import numpy as np
import pytest

from softres.common.errors import InputError
from softres.data.files.shard_folder import MANIFEST, Manifest
from softres.data.files.shard_writer import ShardWriter, write_folder
from softres.data.registry import DATA
from softres.data.sets.streamed import Streamed, load_streamed
from softres.matrices.backends import BackendOptions

N, D = 60, 3


def content():
    rng = np.random.default_rng(0)
    return rng.standard_normal((N, D)), np.full(N, 0.9 / N), rng.random(N)


@pytest.fixture
def folder(tmp_path):
    """Return a folder with three shards of A, b and w."""
    A, b, w = content()
    write_folder(tmp_path / "A", np.array_split(A, 7), b, w, shard_bytes=25 * 8 * D)
    return tmp_path / "A"


@pytest.mark.parametrize("kind", ["npy", "parquet"])
def test_what_was_written_is_read(tmp_path, kind):
    A, b, w = content()
    manifest = write_folder(
        tmp_path / "A", np.array_split(A, 7), b, w, kind=kind, shard_bytes=25 * 8 * D
    )
    assert [rows for _, rows, _, _ in manifest.files] == [25, 25, 10]
    instance = load_streamed(Streamed(path=str(tmp_path / "A")), None)
    np.testing.assert_array_equal(instance.A.toarray(), A)
    np.testing.assert_array_equal(instance.b, b)
    np.testing.assert_array_equal(instance.w, w)
    assert instance.shape == (N, D)
    assert instance.nnz == N * D
    assert instance.A.bytes_per_second > 0
    if kind == "npy":
        np.testing.assert_array_equal(np.load(tmp_path / "A" / "A-00002.npy"), A[50:])


def test_with_R_the_matrix_has_that_norm(folder):
    scaled = load_streamed(Streamed(path=str(folder)), 4.0).A
    assert np.linalg.norm(scaled.toarray(), 2) == pytest.approx(4.0, rel=1e-12)


def test_size_and_fingerprint_come_from_the_manifest(folder, tmp_path):
    assert DATA["streamed"] is Streamed
    options = Streamed(path=str(folder))
    assert options.size(None, None, None) == options.size(N, D, 2.0) == (N, D)
    with pytest.raises(InputError, match=f"n=7: .* has n={N}; leave it out"):
        options.size(7, None, None)
    A, b, w = content()
    write_folder(tmp_path / "same", [A], b, w, shard_bytes=25 * 8 * D)
    assert Streamed(path=str(tmp_path / "same")).fingerprint() == options.fingerprint()
    write_folder(tmp_path / "other", [A], b[::-1] * np.linspace(0.9, 1, N), w)
    assert Streamed(path=str(tmp_path / "other")).fingerprint() != options.fingerprint()


def test_too_little_memory_is_an_error_before_anything_is_read(folder):
    with pytest.raises(InputError, match=r"data\.memory=1e-06: vectors of n=60 .* alone take"):
        Streamed(path=str(folder), memory=1e-6).size(None, None, None)
    with pytest.raises(InputError, match=r"data\.memory=0: allowed is a positive number"):
        Streamed(path=str(folder), memory=0)
    with pytest.raises(InputError, match="needs a folder"):
        Streamed()


def rewrite(folder, **changes):
    path = folder / MANIFEST
    tree = json.loads(path.read_text())
    path.write_text(json.dumps(tree | changes))


def without(folder):
    (folder / "A-00001.npy").unlink()


def cut_off(folder):
    path = folder / "A-00002.npy"
    path.write_bytes(path.read_bytes()[:-8])


def of_another_shape(folder):
    path = folder / "A-00001.npy"
    np.save(path, np.load(path).reshape(15, 5))


def with_nan(folder):
    path = folder / "A-00001.npy"
    values = np.load(path)
    values[4, 1] = np.nan
    np.save(path, values)


def with_objects(folder):
    path = folder / "A-00001.npy"
    size = path.stat().st_size
    np.save(path, np.array([[{}]], dtype=object), allow_pickle=True)
    path.write_bytes(path.read_bytes().ljust(size, b"\0"))


def with_a_short_target(folder):
    np.save(folder / "b.npy", np.ones((2, N // 2)))


def outside(folder):
    tree = json.loads((folder / MANIFEST).read_text())
    tree["A"][0]["file"] = "../A/A-00000.npy"
    rewrite(folder, A=tree["A"])


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (without, r"A-00001\.npy: No such file"),
        (cut_off, r"A-00002\.npy: has \d+ bytes, and should have \d+"),
        (of_another_shape, r"A-00001\.npy: its shape is \(15, 5\), and should be \(25, 3\)"),
        (with_nan, r"A-00001\.npy: row 4 holds NaN"),
        (with_objects, r"A-00001\.npy: .*Python objects"),
        (with_a_short_target, r"b\.npy: must be a real vector of 60 entries"),
        (outside, r"\.\./A/A-00000\.npy is not the name of a file in its folder"),
        (lambda folder: (folder / MANIFEST).unlink(), r"manifest\.json: No such file"),
        (lambda folder: (folder / MANIFEST).write_text("{"), r"not a valid manifest"),
        (lambda folder: (folder / MANIFEST).write_text("[]"), r"not a valid manifest"),
        (lambda folder: rewrite(folder, format="x"), r"not a valid manifest"),
        (lambda folder: rewrite(folder, rows=61), r"the rows of its files are not 61"),
        (lambda folder: rewrite(folder, vectors=[]), r"names no b\.npy"),
    ],
)
def test_a_damaged_folder_is_one_line(folder, damage, message):
    damage(folder)
    with pytest.raises(InputError, match=message) as raised:
        load_streamed(Streamed(path=str(folder)), None)
    assert str(raised.value).startswith(f"data.path={folder}")
    assert "\n" not in str(raised.value)


def test_missing_entries_of_a_parquet_file_are_an_error(tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    A, b, _ = content()
    write_folder(tmp_path / "A", [A], b, kind="parquet")
    path = tmp_path / "A" / "A-00000.parquet"
    table = pq.read_table(path)
    values = table["a1"].to_pylist()
    values[9] = None
    pq.write_table(table.set_column(1, "a1", pa.array(values, pa.float64())), path)
    tree = json.loads((tmp_path / "A" / MANIFEST).read_text())
    tree["A"][0]["bytes"] = path.stat().st_size
    rewrite(tmp_path / "A", A=tree["A"])
    with pytest.raises(InputError, match=r"parquet: row 9 holds NaN"):
        load_streamed(Streamed(path=str(tmp_path / "A")), None)


def test_a_zero_matrix_cannot_be_scaled(tmp_path):
    write_folder(tmp_path / "A", [np.zeros((4, 2))], np.full(4, 0.25))
    with pytest.raises(InputError, match=r"R=2\.0: A has no entries but zeros"):
        load_streamed(Streamed(path=str(tmp_path / "A")), 2.0)


def test_the_writer_refuses_what_could_not_be_read(tmp_path):
    A, b, _ = content()
    with pytest.raises(InputError, match="no rows were written"):
        write_folder(tmp_path / "none", [], [])
    with pytest.raises(InputError, match=r"shape \(2, 4\), and should have \(k, 3\)"):
        write_folder(tmp_path / "wide", [A, np.ones((2, 4))], b)
    with pytest.raises(InputError, match="NaN or infinite"):
        write_folder(tmp_path / "nan", [A * np.inf], b)
    with pytest.raises(InputError, match=r"b must have shape \(60,\), not \(2,\)"):
        write_folder(tmp_path / "short", [A], b[:2])
    with pytest.raises(InputError, match="is not empty"):
        write_folder(tmp_path / "short", [A], b)
    with pytest.raises(InputError, match="kind=csv"):
        ShardWriter(tmp_path / "csv", kind="csv")


def test_a_folder_that_was_left_half_written_is_not_taken_for_a_whole_one(tmp_path):
    def blocks():
        yield np.ones((5, 2))
        raise RuntimeError("the source broke")

    with pytest.raises(RuntimeError, match="the source broke"):
        write_folder(tmp_path / "A", blocks(), np.full(5, 0.2))
    with pytest.raises(InputError, match=r"manifest\.json: No such file"):
        Manifest.read(tmp_path / "A")


def test_only_numpy_and_dask_read_it_and_each_backend_counts_its_own_passes(folder):
    matrix = load_streamed(Streamed(path=str(folder)), None).A
    for options in (BackendOptions("torch"), BackendOptions(dtype="float32")):
        with pytest.raises(InputError, match="backend=numpy or dask in float64"):
            options.convert(matrix)
    own = BackendOptions().convert(matrix)
    own.matmul(np.ones(D))
    assert (own.counter.passes, matrix.counter.passes) == (1, 0)
