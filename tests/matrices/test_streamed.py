"""A on disk: the same numbers as in memory, one reading a product, and bounded memory."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from softres import SoftResidualRegression, solve
from softres.certification.minimiser import digest, find_minimiser
from softres.common.errors import InputError
from softres.data.files.shard_writer import write_folder
from softres.matrices import DenseNumpy, StreamedMatrix
from softres.matrices.shards import NpyShard, ParquetShard
from softres.sketching import embedding, sketch
from softres.solvers.preconditioned.cost_model import CostModel
from softres.solvers.preconditioned.machine import NOMINAL

pytestmark = pytest.mark.usefixtures("one_thread")

#: Storage of the shards: what they are written as, and the type of their entries.
STORED = [("npy", "float64"), ("npy", "float32"), ("parquet", "float64"), ("parquet", "float32")]


def on_disk(folder, A, kind="npy", dtype="float64", shard_rows=40, window_rows=9, factor=1.0):
    """Write A in several shards, and open it with windows that are no divisor of their rows."""
    d = A.shape[1]
    width = d * np.dtype(dtype).itemsize
    blocks = np.array_split(A, 3 if len(A) > 3 else 1)
    manifest = write_folder(
        folder, blocks, np.full(len(A), 0.5 / len(A)), kind=kind, dtype=dtype,
        shard_bytes=shard_rows * width,
    )  # fmt: skip
    window = 8 * d * (window_rows if kind == "npy" else max(window_rows, shard_rows))
    return StreamedMatrix(manifest.shards(), manifest.checksum, window, factor)


@pytest.fixture(params=STORED, ids="-".join)
def pair(request, tmp_path):
    """Return a matrix on disk, and the same one in memory."""
    A = np.random.default_rng(0).standard_normal((173, 5)).astype(request.param[1])
    return on_disk(tmp_path / "A", A, *request.param), DenseNumpy(A.astype(np.float64))


def close(found, expected):
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)


def test_everything_that_a_solver_asks_for_is_as_in_memory(pair):
    streamed, dense = pair
    rng = np.random.default_rng(1)
    n, d = dense.shape
    assert streamed.shape == (n, d)
    for shape in ((), (3,), (20,)):
        x, y = rng.standard_normal((d, *shape)), rng.standard_normal((n, *shape))
        close(streamed.matmul(x), dense.matmul(x))
        close(streamed.rmatmul(y), dense.rmatmul(y))
    rows = rng.integers(0, n, 60)
    for chosen in (None, rows):
        weights = rng.standard_normal(n if chosen is None else len(chosen))
        close(streamed.gram(weights, chosen), dense.gram(weights, chosen))
        single = streamed.gram(weights, chosen, single=True)
        np.testing.assert_allclose(single, dense.gram(weights, chosen), atol=2e-4)
    close(streamed.column_scale, dense.column_scale)
    close(streamed.squared_row_norms(), dense.squared_row_norms())
    close(streamed.row_forms(np.eye(d)[:, :3]), dense.row_forms(np.eye(d)[:, :3]))
    close(streamed.rows(rows).array, dense.rows(rows).array)
    factors = rng.standard_normal((4, len(rows)))
    close(streamed.compress(factors, rows), dense.compress(factors, rows))
    S = embedding("sparse_sign", 20, n, np.random.default_rng(2))
    close(streamed.sketch(S), dense.sketch(S))
    close(streamed.toarray(), dense.array)
    assert streamed.counter == dense.counter


@given(
    n=st.integers(1, 120),
    seed=st.integers(0, 2**32 - 1),
    window=st.integers(1, 50),
    shard=st.integers(10, 60),
    kind=st.sampled_from(["npy", "parquet"]),
)
@settings(max_examples=25, deadline=None)
def test_rows_are_found_however_the_files_are_cut(tmp_path_factory, n, seed, window, shard, kind):
    rng = np.random.default_rng(seed)
    A = rng.standard_normal((n, 3))
    streamed = on_disk(
        tmp_path_factory.mktemp("A"), A, kind, shard_rows=shard, window_rows=window, factor=-2.0
    )
    start, stop = sorted(rng.choice(n + 1, 2, replace=False))
    part = streamed.part(int(start), int(stop))
    expected = -2.0 * A[start:stop]
    np.testing.assert_array_equal(part.toarray(), expected)
    index = rng.integers(0, stop - start, 30)
    np.testing.assert_array_equal(part.rows(index).array, expected[index])
    weights = rng.standard_normal(30)
    close(part.gram(weights, index), expected[index].T @ (weights[:, None] * expected[index]))
    first = int(rng.integers(1, stop - start)) if stop - start > 1 else None
    if first is not None:
        for half, rows in zip(part.split(first), np.split(expected, [first]), strict=True):
            np.testing.assert_array_equal(half.toarray(), rows)


@pytest.fixture
def readings(monkeypatch):
    """Return a list of the rows that are read from files, one entry a reading."""
    seen = []
    read = NpyShard.read

    def noted(self, first, last):
        seen.append(last - first)
        return read(self, first, last)

    monkeypatch.setattr(NpyShard, "read", noted)
    return seen


def test_a_product_reads_each_row_once_whatever_its_right_hand_sides(tmp_path, readings):
    n, d = 200, 4
    streamed = on_disk(tmp_path / "A", np.random.default_rng(0).standard_normal((n, d)))
    rng = np.random.default_rng(1)
    for work in (
        lambda: streamed.matmul(np.ones((d, 30))),
        lambda: streamed.rmatmul(np.ones((n, 30))),
        lambda: streamed.gram(rng.standard_normal(n)),
        lambda: streamed.row_forms(np.ones((d, 10))),
        lambda: sketch(streamed, np.ones(n), "banded_sign", 40, rng),
        lambda: sketch(streamed, np.ones(n), "sparse_sign", 40, rng),
    ):
        readings.clear()
        work()
        assert sum(readings) == n


def test_chosen_rows_are_read_without_the_windows_between(tmp_path, readings):
    streamed = on_disk(tmp_path / "A", np.arange(400.0).reshape(200, 2))
    readings.clear()
    np.testing.assert_array_equal(streamed.rows(np.array([195, 3, 4])).array[:, 0], [390, 6, 8])
    assert sum(readings) <= 2 * 9


def test_a_sketch_is_the_one_of_the_matrix_in_memory(pair):
    for name in ("banded_sign", "sparse_sign"):
        a, b = (sketch(m, np.arange(1.0, 174.0), name, 40, np.random.default_rng(5)) for m in pair)
        close(a, b)


@pytest.mark.parametrize("solver", ["preconditioned_newton", "exact_newton", "approx_newton"])
def test_solvers_find_the_same_minimiser(tmp_path, solver):
    A = np.random.default_rng(3).standard_normal((3000, 6)) / 20
    b = np.random.default_rng(4).random(3000)
    dense = SoftResidualRegression(A, b / b.sum(), 1e-3)
    streamed = SoftResidualRegression(
        on_disk(tmp_path / "A", A, shard_rows=700, window_rows=333), b / b.sum(), 1e-3
    )
    expected, found = (solve(p, solver, eps=1e-11, max_steps=500) for p in (dense, streamed))
    assert expected.status.success
    assert found.status.success
    gap = np.linalg.norm(found.x - expected.x)
    assert gap <= 1e-8 * np.linalg.norm(expected.x)


def test_the_certified_minimiser_is_that_of_the_matrix_in_memory(tmp_path):
    A = np.random.default_rng(3).standard_normal((2000, 5)) / 20
    b = np.random.default_rng(4).random(2000)
    x, certificate = find_minimiser(
        SoftResidualRegression(on_disk(tmp_path / "A", A), b / b.sum(), 1e-3), np.zeros(5)
    )
    expected, _ = find_minimiser(SoftResidualRegression(A, b / b.sum(), 1e-3), np.zeros(5))
    assert certificate.certified
    assert certificate.relative_gradient <= 1e-14
    np.testing.assert_allclose(x, expected, rtol=1e-10)


def test_equal_content_has_an_equal_digest_and_other_content_another(tmp_path):
    A = np.random.default_rng(0).standard_normal((50, 3))
    one, same = on_disk(tmp_path / "1", A), on_disk(tmp_path / "2", A)
    A[17, 1] += 1e-9
    other = on_disk(tmp_path / "3", A)
    assert digest(one) == digest(same)
    assert len({digest(m) for m in (one, other, one.scaled(2.0), one.part(0, 49))}) == 4


def test_a_reading_that_was_timed_enters_the_costs(tmp_path):
    streamed = on_disk(tmp_path / "A", np.ones((50, 3)))
    rates = replace(NOMINAL)  # as if measured here
    before = CostModel.of(streamed, rates).product
    streamed.bytes_per_second = 1.0
    assert before < CostModel.of(streamed, rates).product == 8.0 * 150
    assert CostModel.of(streamed.part(0, 25), rates).product == 8.0 * 75


def test_a_file_that_is_cut_off_while_it_is_used_is_an_error(tmp_path):
    streamed = on_disk(tmp_path / "A", np.ones((200, 3)))
    path = tmp_path / "A" / "A-00002.npy"
    with path.open("r+b") as file:
        file.truncate(500)
    with pytest.raises(InputError, match=r"A-00002\.npy: has been cut off"):
        streamed.matmul(np.ones(3))
    path.unlink()
    with pytest.raises(InputError, match=r"A-00002\.npy: No such file"):
        streamed.matmul(np.ones(3))


def test_a_row_group_beyond_the_window_is_an_error(tmp_path):
    manifest = write_folder(tmp_path / "A", [np.ones((100, 3))], np.full(100, 0.01), kind="parquet")
    with pytest.raises(InputError, match="row group of 100 rows takes more than"):
        StreamedMatrix(manifest.shards(), "", 99 * 24)
    assert StreamedMatrix(manifest.shards(), "", 100 * 24).shape == (100, 3)


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.ones((4, 3), order="F"), "row-major order"),
        (np.ones(4), "two-dimensional"),
        (np.ones((4, 3), dtype=np.int64), "float64 or float32"),
        (np.array([[1, None]], dtype=object), "A.npy"),
    ],
)
def test_other_arrays_are_no_shard(tmp_path, array, message):
    np.save(tmp_path / "A.npy", array, allow_pickle=True)
    with pytest.raises(InputError, match=message):
        NpyShard.open(tmp_path / "A.npy")


def test_a_parquet_file_of_text_or_of_nothing_is_no_shard(tmp_path):
    import pandas as pd

    pd.DataFrame({"a": ["x"]}).to_parquet(tmp_path / "text.parquet")
    with pytest.raises(InputError, match=r"column a is .*string"):
        ParquetShard.open(tmp_path / "text.parquet")
    (tmp_path / "empty.parquet").write_bytes(b"")
    with pytest.raises(InputError, match=r"empty\.parquet"):
        ParquetShard.open(tmp_path / "empty.parquet")


MEMORY = """
import sys
from dataclasses import replace
import numpy as np
from softres import SoftResidualRegression, solve
from softres.data.sets.streamed import StreamedOptions, load_streamed

def status(name):
    return int(open("/proc/self/status").read().split(name + ":")[1].split()[0]) / 1024

warm = np.ones((64, 64)) @ np.ones((64, 64))
solve(SoftResidualRegression(np.eye(64, 2), np.full(64, 1 / 64), 1e-2), "preconditioned_newton")
before = status("VmRSS")
instance = load_streamed(StreamedOptions(sys.argv[1], 0.0625), None)
problem = SoftResidualRegression(instance.A, instance.b, 1e-4)
assert solve(problem, "preconditioned_newton", eps=1e-10).status.success
print(status("VmHWM") - before)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_the_resident_set_of_a_solve_stays_below_the_setting(tmp_path):
    n, d = 80_000, 200  # 122 MiB, in 64 MiB of which vectors take a third
    rng = np.random.default_rng(0)
    blocks = (rng.standard_normal((8000, d)) / 300 for _ in range(n // 8000))
    write_folder(tmp_path / "A", blocks, rng.random(n) * 2 / n * 0.9, shard_bytes=1 << 25)
    done = subprocess.run(
        [sys.executable, "-c", MEMORY, str(tmp_path / "A")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert 5 < float(done.stdout) < 64
