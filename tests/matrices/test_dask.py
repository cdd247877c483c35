"""A on Dask: the same numbers as in memory, one computation each, and a clear word without it."""

from __future__ import annotations

import importlib.util
import sys

import numpy as np
import pytest

from softres import SoftResidualRegression, solve
from softres.common.errors import InputError
from softres.data.files.shard_writer import write_folder
from softres.matrices import DenseNumpy, StreamedMatrix, as_matrix, dask_matrix
from softres.matrices.backends import BackendOptions
from softres.sketching import embedding, sketch

pytestmark = pytest.mark.usefixtures("one_thread")

CHUNK_ROWS = 40


def close(found, expected):
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)


@pytest.fixture
def da():
    return pytest.importorskip("dask.array")


@pytest.fixture
def pair(da):
    """Return a matrix in five chunks, the last one smaller, and the same one in memory."""
    A = np.random.default_rng(0).standard_normal((173, 5))
    return as_matrix(da.from_array(A, chunks=(CHUNK_ROWS, 2))), DenseNumpy(A)


@pytest.fixture
def computations(monkeypatch):
    """Return a list with an entry for each time that something is computed."""
    seen = []
    run = dask_matrix.DaskMatrix._run

    def noted(self, tasks):
        seen.append(len(tasks))
        return run(self, tasks)

    monkeypatch.setattr(dask_matrix.DaskMatrix, "_run", noted)
    return seen


def test_everything_that_a_solver_asks_for_is_as_in_memory_and_one_computation(pair, computations):
    on_dask, dense = pair
    rng = np.random.default_rng(1)
    n, d = dense.shape
    x, y = rng.standard_normal((d, 3)), rng.standard_normal((n, 3))
    rows = rng.integers(0, n, 60)
    weights, factors = rng.standard_normal(n), rng.standard_normal((4, 60))
    S = embedding("sparse_sign", 20, n, np.random.default_rng(2))
    for ask in (
        lambda A: A.matmul(x),
        lambda A: A.matmul(x[:, 0]),
        lambda A: A.rmatmul(y),
        lambda A: A.rmatmul(y[:, 0]),
        lambda A: A.gram(weights),
        lambda A: A.gram(weights[:60], rows),
        lambda A: A.gram(weights[:3], np.array([2, 1, 2])),
        lambda A: A.column_scale,
        lambda A: A.row_forms(x),
        lambda A: A.rows(rows).array,
        lambda A: A.compress(factors, rows),
        lambda A: A.sketch(S),
        lambda A: sketch(A, np.abs(weights), "banded_sign", 40, np.random.default_rng(3)),
    ):
        computations.clear()
        close(ask(on_dask), ask(dense))
        assert len(computations) == 1
    assert on_dask.counter == dense.counter
    np.testing.assert_allclose(on_dask.gram(weights, single=True), dense.gram(weights), atol=2e-4)


def test_chunks_of_unknown_size_are_an_error(da):
    A = da.ones((10, 2), chunks=5)
    with pytest.raises(InputError, match="chunks of unknown size"):
        as_matrix(A[A[:, 0] > 0])


@pytest.mark.parametrize("solver", ["preconditioned_newton", "exact_newton", "approx_newton"])
def test_solvers_on_threads_find_the_same_minimiser(da, monkeypatch, solver):
    monkeypatch.setattr(dask_matrix, "CHUNK_BYTES", 700 * 8 * 6)
    A, b = instance()
    expected = solve(SoftResidualRegression(A, b, 1e-3), solver, eps=1e-12)
    on_dask = BackendOptions("dask").convert(A)
    assert len(on_dask.array.chunks[0]) == 5
    found = solve(SoftResidualRegression(on_dask, b, 1e-3), solver, eps=1e-12)
    assert expected.status.success
    assert found.status.success
    assert np.linalg.norm(found.x - expected.x) <= 1e-10 * np.linalg.norm(expected.x)


def instance():
    A = np.random.default_rng(3).standard_normal((3000, 6)) / 20
    b = np.random.default_rng(4).random(3000)
    return A, b / b.sum()


def test_a_matrix_on_disk_is_read_by_the_tasks(da, tmp_path, monkeypatch):
    monkeypatch.setattr(dask_matrix, "CHUNK_BYTES", 700 * 8 * 6)
    A, b = instance()
    manifest = write_folder(tmp_path / "A", [A], b, shard_bytes=1000 * 8 * 6)
    streamed = StreamedMatrix(manifest.shards(), manifest.checksum)
    on_dask = BackendOptions("dask").convert(streamed)
    assert on_dask.array.chunks[0] == (700, 700, 700, 700, 200)
    close(on_dask.matmul(np.ones(6)), A @ np.ones(6))


@pytest.mark.slow
def test_a_cluster_of_two_processes_finds_the_same_minimiser(tmp_path, monkeypatch):
    pytest.importorskip("dask.array")
    distributed = pytest.importorskip("distributed")
    monkeypatch.setattr(dask_matrix, "CHUNK_BYTES", 700 * 8 * 6)
    monkeypatch.setattr(dask_matrix, "SCATTER_BYTES", 1 << 13)
    A, b = instance()
    manifest = write_folder(tmp_path / "A", [A], b, shard_bytes=1000 * 8 * 6)
    streamed = StreamedMatrix(manifest.shards(), manifest.checksum)
    expected = solve(SoftResidualRegression(A, b, 1e-3), "preconditioned_newton", eps=1e-12)
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
    ) as cluster:
        options = BackendOptions("dask", address=cluster.scheduler_address)
        try:
            for source in (A, streamed):
                problem = SoftResidualRegression(options.convert(source), b, 1e-3)
                found = solve(problem, "preconditioned_newton", eps=1e-12)
                gap = np.linalg.norm(found.x - expected.x)
                assert found.status.success
                assert gap <= 1e-10 * np.linalg.norm(expected.x)
        finally:
            dask_matrix.connect(options.address).close()
            dask_matrix.connect.cache_clear()


def test_without_a_scheduler_there_is_one_line(monkeypatch):
    pytest.importorskip("distributed")
    monkeypatch.setattr(dask_matrix, "SCHEDULER_TIMEOUT", "200ms")
    options = BackendOptions("dask", address="tcp://127.0.0.1:1")
    with pytest.raises(InputError, match=r"backend\.address=tcp://127\.0\.0\.1:1: no Dask sched"):
        options.convert(np.ones((4, 2)))


def test_without_dask_one_line_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "dask.array", None)
    with pytest.raises(InputError, match=r'backend=dask: .* pip install "softres\[dask\]"'):
        BackendOptions("dask").convert(np.ones((4, 2)))
    find = importlib.util.find_spec
    monkeypatch.setattr(
        "softres.matrices.backends.find_spec", lambda name: None if name == "dask" else find(name)
    )
    with pytest.raises(InputError, match=r'dask is not installed; pip install "softres\[dask\]"'):
        BackendOptions("dask").check_device()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"name": "dask", "dtype": "float32"}, "backend=dask works in float64 only"),
        ({"name": "dask", "device": "cuda"}, "backend=dask runs on cpu only"),
        ({"address": "tcp://x:1"}, "only backend=dask takes an address"),
    ],
)
def test_options_that_do_not_fit_are_refused(options, message):
    with pytest.raises(InputError, match=message):
        BackendOptions(**options)


def test_a_sparse_matrix_is_refused():
    from scipy import sparse

    with pytest.raises(InputError, match="takes a dense A only"):
        BackendOptions("dask").convert(sparse.eye_array(4, format="csr"))
