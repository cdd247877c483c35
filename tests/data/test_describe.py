"""The figures of an instance agree with a singular value decomposition."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from softres.data import describe as module
from softres.data.describe import describe
from softres.data.files.shard_writer import write_folder
from softres.data.instance import Instance
from softres.data.sets.streamed import Streamed, load_streamed


def matrices():
    rng = np.random.default_rng(0)
    dense = rng.standard_normal((70, 6))
    gaps = dense * (rng.random((70, 6)) < 0.4)
    gaps[5] = 0.0  # a row without entries
    deficient = np.hstack([gaps, gaps[:, :1] + gaps[:, 1:2]])
    alone = np.vstack([np.hstack([gaps, np.zeros((70, 1))]), np.eye(1, 7, 6)])
    return {"dense": dense, "sparse": gaps, "rank deficient": deficient, "alone": alone}


@pytest.mark.parametrize("block", [1, 13, 1 << 22])
@pytest.mark.parametrize("store", [np.asarray, sparse.csr_array], ids=["dense", "CSR"])
@pytest.mark.parametrize("name", matrices())
def test_figures_of_a_matrix(name, store, block, monkeypatch):
    monkeypatch.setattr(module, "BLOCK_ENTRIES", block)
    A = matrices()[name]
    n, d = A.shape
    left, values, _ = np.linalg.svd(A, full_matrices=False)
    rank = np.linalg.matrix_rank(A)
    scores = np.square(left[:, :rank]).sum(axis=1)
    found = describe(Instance("digits", store(A), np.full(n, 1 / n)))
    assert (found.n, found.d, found.nnz) == (n, d, np.count_nonzero(A))
    assert found.spectrum.rank == rank
    assert found.spectrum.sigma_min == pytest.approx(values[rank - 1], rel=1e-9)
    assert found.coherence == pytest.approx(scores.max() * n / rank, rel=1e-9)
    assert found.alone == (name == "alone")


@pytest.mark.parametrize("kind", ["npy", "parquet"])
@pytest.mark.parametrize("block", [13, 1 << 22])
def test_a_matrix_on_disk_has_the_figures_of_the_same_one_in_memory(
    kind, block, tmp_path, monkeypatch
):
    monkeypatch.setattr(module, "BLOCK_ENTRIES", block)
    A, b = matrices()["rank deficient"], np.full(70, 1 / 70)
    write_folder(tmp_path / "shards", [A[:50], A[50:]], b, kind=kind)
    found = describe(load_streamed(Streamed(path=str(tmp_path / "shards")), None))
    expected = describe(Instance("digits", A, b))
    assert (found.n, found.d, found.nnz) == (70, 7, np.count_nonzero(A))
    assert (found.alone, found.spectrum.rank) == (expected.alone, expected.spectrum.rank)
    assert found.coherence == pytest.approx(expected.coherence, rel=1e-9)
    assert found.spectrum.sigma_min == pytest.approx(expected.spectrum.sigma_min, rel=1e-9)


def test_figures_of_the_target():
    A = np.random.default_rng(0).standard_normal((8, 2))
    b = np.array([0.0, 0.25, 0.25, 0.0, 0.25, 0.25, 0.0, 0.0])
    found = describe(Instance("digits", A, b))
    assert found.zeros == 0.5
    assert found.entropy == pytest.approx(np.log(4))
    # A sum below one, as a file may have it, does not change the shape.
    assert describe(Instance("digits", A, b / 3)).entropy == pytest.approx(np.log(4))
    uniform = describe(Instance("digits", A, np.full(8, 1 / 8)))
    assert uniform.entropy == pytest.approx(np.log(8))
