import subprocess
import sys

import numpy as np
import pytest

from softres.tracking import environment
from softres.tracking.environment import _git


def test_environment_is_text_and_complete():
    known = environment()
    assert all(isinstance(value, str) and value for value in known.values())
    assert known["numpy"] == np.__version__
    assert known["python"] == ".".join(map(str, sys.version_info[:3]))
    assert int(known["cores"]) >= 1
    assert known["dirty"] in {"true", "false", "unknown"}
    assert {"commit", "scipy", "torch", "mlflow", "cpu", "host", "blas", "blas_threads"} <= set(
        known
    )


def test_environment_imports_neither_torch_nor_mlflow():
    code = """
import sys
from softres.tracking import environment
assert environment()["torch"]
assert not {"torch", "mlflow", "pandas"} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.fixture
def checkout(tmp_path):
    def git(*words):
        who = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"]
        command = ["git", "-C", str(tmp_path), *who, *words]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    git("init", "-q")
    return tmp_path, git


def test_commit_and_dirty_tree(checkout):
    folder, git = checkout
    assert _git(folder)[0] == "unknown"
    (folder / "a.py").write_text("x = 1\n")
    git("add", "a.py")
    git("commit", "-q", "-m", "first")
    commit = git("rev-parse", "HEAD").strip()
    assert _git(folder) == (commit, "false")
    (folder / "results.txt").write_text("not part of the code\n")
    assert _git(folder) == (commit, "false")
    (folder / "a.py").write_text("x = 2\n")
    assert _git(folder) == (commit, "true")


def test_outside_a_checkout(tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert _git(tmp_path) == ("unknown", "unknown")
