import subprocess
import sys

import numpy as np
import pytest

from softres.tracking import environment
from softres.tracking.environment import _git, requirements, source_tags


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


def test_mlflow_is_told_who_ran_what():
    tags = source_tags()
    assert tags["mlflow.user"]
    assert tags.get("mlflow.source.git.commit", "unknown") == environment()["commit"]


def test_requirements_are_the_installed_packages():
    lines = requirements().splitlines()
    assert f"numpy=={np.__version__}" in lines
    assert lines == sorted(set(lines), key=str.lower)


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


def test_what_no_run_reads_is_no_local_change(checkout):
    """A run that writes its own results into the checkout is still one of its commit."""
    folder, git = checkout
    (folder / "results" / "reference").mkdir(parents=True)
    (folder / "docs").mkdir()
    kept = ("results/reference/report.md", "results/reference/medians.csv", "docs/a.md", "b.md")
    for name in (*kept, "docs/conf.yaml"):
        (folder / name).write_text("before\n")
    git("add", "-A")
    git("commit", "-q", "-m", "first")
    commit = git("rev-parse", "HEAD").strip()
    for name in kept:
        (folder / name).write_text("after\n")
    assert _git(folder) == _git(folder / "docs") == (commit, "false")
    (folder / "docs" / "conf.yaml").write_text("after\n")
    assert _git(folder) == _git(folder / "results") == (commit, "true")


def test_outside_a_checkout(tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert _git(tmp_path) == ("unknown", "unknown")


def test_a_copy_inside_another_repository_has_none_of_its_commits(checkout):
    folder, git = checkout
    (folder / ".gitignore").write_text("vendor\n")
    git("add", "-A")
    git("commit", "-q", "-m", "first")
    (folder / "vendor" / "softres").mkdir(parents=True)
    (folder / "vendor" / "softres" / "a.py").write_text("x = 1\n")
    assert _git(folder / "vendor" / "softres") == ("unknown", "unknown")
    git("add", "-f", "vendor")
    git("commit", "-q", "-m", "vendored")
    assert _git(folder / "vendor" / "softres") == (git("rev-parse", "HEAD").strip(), "false")
