from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from softres.results import load

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def store(tmp_path_factory):
    """A store with one sweep: two solvers, two n, two seeds; no run of gradient descent ends."""
    folder = tmp_path_factory.mktemp("sweep")
    words = ["n=60,240", "d=3", "seed=0,1", "solver=exact_newton,gradient_descent"]
    more = ["max_steps=20", "tracking.folder=results", "tracking.sweep=tiny sweep"]
    subprocess.run(
        [sys.executable, str(ROOT / "run.py"), "-m", *words, *more],
        cwd=folder,
        env=os.environ
        | {
            "PYTHONPATH": str(ROOT),
            "SOFTRES_CACHE": str(folder / "cache"),
            "OPENBLAS_NUM_THREADS": "1",
        },
        capture_output=True,
        timeout=120,
        check=True,
    )
    return folder / "results"


@pytest.fixture(scope="session")
def runs(store):
    return load(sweep="last", store=store)


@pytest.fixture
def copied(store, tmp_path):
    """A copy of the store, whose runs still point to files of the first one."""
    return shutil.copytree(store, tmp_path / "copied")


@pytest.fixture
def change():
    """Return a function that changes a store's database."""

    def execute(folder, statement, *values):
        with closing(sqlite3.connect(folder / "mlflow.db")) as connection, connection:
            connection.execute(statement, values)

    return execute
