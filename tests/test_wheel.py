"""The project as a wheel: all that a run needs is in it, away from the project's folder."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PARTS = ("conf", "experiments", "softres", "LICENSE", "README.md", "pyproject.toml", "setup.py")
#: What only a checkout has a use for.
UNPACKED_NOWHERE = (".ci/", ".github/", ".gitignore")


def pip(*words):
    words = [sys.executable, "-m", "pip", *words, "--no-index", "--no-deps", "--quiet"]
    subprocess.run(words, check=True, capture_output=True, text=True)


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """Build the wheel without a network; return a folder that it is installed in."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    source.mkdir()
    for part in PARTS:
        copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy
        copy(ROOT / part, source / part)
    pip("wheel", "--no-build-isolation", "--wheel-dir", str(folder), str(source))
    shutil.rmtree(source)
    (wheel,) = folder.glob("softres-*.whl")
    pip("install", "--target", str(folder / "site"), str(wheel))
    return folder / "site"


@pytest.fixture
def softres(installed, tmp_path):
    """Run the installed command in an empty folder to its end."""

    def run(*words):
        return subprocess.run(
            [sys.executable, str(installed / "bin" / "softres"), *words],
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": str(installed), "SOFTRES_CACHE": str(tmp_path / "c")},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return run


@pytest.mark.slow
def test_a_sweep_runs_from_a_wheel(softres, installed, tmp_path):
    done = softres("run", "-m", "n=1000,10000", "solver=approx_newton")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("converged after") == 2
    assert (tmp_path / "results" / "mlflow.db").is_file()
    assert str(ROOT) not in done.stdout


@pytest.mark.slow
def test_a_wheel_has_the_subcommands_and_the_configuration(softres, installed):
    assert {"benchmark", "figures", "report", "step-cost"} <= set(softres("--help").stdout.split())
    kept = {path.relative_to(ROOT) for path in (ROOT / "conf").rglob("*.yaml")}
    there = {path.relative_to(installed / "softres") for path in installed.rglob("conf/**/*.yaml")}
    assert there == kept
    shown = softres("report", "--help")
    assert shown.returncode == 0
    assert shown.stdout.startswith("usage: softres report")


@pytest.mark.slow
def test_a_report_is_written_from_a_wheel(softres, tmp_path):
    done = softres("report", "--profile", "quick", "--claims", "gradient", "--no-run")
    assert done.stderr == ""
    assert (tmp_path / "results" / "report.html").is_file()
    refused = softres("report", "--readme")
    assert refused.returncode == 2
    assert refused.stderr.startswith("softres: --readme: ")
    assert refused.stderr.count("\n") == 1


@pytest.mark.slow
def test_a_source_archive_has_every_file_of_the_project(tmp_path):
    listed = ["git", "-C", str(ROOT), "ls-files", "-z"]
    tracked = subprocess.run(listed, capture_output=True, text=True, check=False)
    if tracked.returncode:
        pytest.skip("not a checkout")
    names = [name for name in tracked.stdout.split("\0") if name]
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    build = "from setuptools import build_meta; build_meta.build_sdist('dist')"
    subprocess.run([sys.executable, "-c", build], cwd=tmp_path, check=True, capture_output=True)
    (archive,) = (tmp_path / "dist").glob("softres-*.tar.gz")
    with tarfile.open(archive) as opened:
        there = {name.partition("/")[2] for name in opened.getnames()}
    left_out = {name for name in names if name not in there}
    assert {name for name in left_out if not name.startswith(UNPACKED_NOWHERE)} == set()
