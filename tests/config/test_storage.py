"""What a backend cannot hold is refused before anything is made, read or recorded."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hydra import compose, initialize_config_dir
from scipy import sparse

from softres.common.errors import InputError
from softres.config.choices import register
from softres.config.settings import settings
from softres.data.files.shard_writer import write_folder
from softres.data.registry import published

CONF = str(Path(__file__).parents[2] / "conf")
N, D = 30, 4

#: Each way to store A, with what the command line asks for it by.
DATA = {
    "dense": [f"n={N}", f"d={D}"],
    "sparse": [f"n={N}", f"d={D}", "data.density=0.5"],
    "dense file": ["data=file", "data.path=FOLDER/dense.npz"],
    "sparse file": ["data=file", "data.path=FOLDER/sparse.npz", "data.b=FOLDER/b.npy"],
    "disk": ["data=streamed", "data.path=FOLDER/shards"],
    "digits": ["data=digits"],
    "flights": ["data=flights"],
}
BACKENDS = {
    "numpy": [],
    "float32": ["backend.dtype=float32"],
    "torch": ["backend=torch"],
    "dask": ["backend=dask"],
}


def refused(data, backend):
    if data in ("sparse", "sparse file", "flights"):
        return backend == "dask"
    return data == "disk" and backend in ("float32", "torch")


@pytest.fixture(scope="module")
def checked(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    A, b = np.random.default_rng(0).standard_normal((N, D)), np.full(N, 1 / N)
    np.savez(folder / "dense.npz", A=A, b=b)
    sparse.save_npz(folder / "sparse.npz", sparse.csr_array(A * (A > 0)))
    np.save(folder / "b.npy", b)
    write_folder(folder / "shards", [A], b)
    register()

    @cache
    def compose_and_check(*overrides):
        with initialize_config_dir(version_base="1.3", config_dir=CONF):
            words = [word.replace("FOLDER", str(folder)) for word in overrides]
            return settings(compose("config", overrides=words))

    return compose_and_check


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("data", DATA)
def test_data_meet_backends(checked, data, backend):
    if backend == "dask":
        pytest.importorskip("dask")
    words = (*DATA[data], *BACKENDS[backend])
    if not refused(data, backend):
        assert checked(*words).storage.entries > 0
        return
    with pytest.raises(InputError) as caught:
        checked(*words)
    name = "torch" if backend == "torch" else "dask" if backend == "dask" else "numpy"
    assert f"backend={name}" in str(caught.value)
    assert f"with data={checked(*DATA[data]).tree['data']['name']}" in str(caught.value)
    assert "backend=numpy or " in str(caught.value)


def test_entries_are_those_that_are_stored(checked):
    assert checked(*DATA["dense"]).storage.entries == N * D
    assert checked(*DATA["sparse"]).storage.entries == N * D / 2
    assert checked(*DATA["disk"]).storage.kind == "disk"
    file = checked(*DATA["sparse file"]).storage
    assert (file.kind, file.entries < N * D) == ("sparse", True)


@pytest.mark.network
@pytest.mark.parametrize("name", published())
def test_the_real_data_are_stored_as_they_are_said_to_be(name):
    data = published()[name]()
    A = data.read().A
    assert A.shape == data.shape
    stored = data.storage(*data.shape)
    assert (stored.kind == "sparse") == sparse.issparse(A)
    assert stored.entries == (A.nnz if sparse.issparse(A) else A.size)
