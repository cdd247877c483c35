"""A server's user and password are never printed, and never written to a file."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def said_by(folder, *words, **variables):
    """Run a command; return all that it printed, and all that its folder holds."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "run.py"), *words],
        cwd=folder,
        env=os.environ | variables,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    files = [path.read_bytes() for path in folder.rglob("*") if path.is_file()]
    return done.returncode, done.stdout + done.stderr, b"".join(files).decode(errors="replace")


@pytest.mark.parametrize(
    "words",
    [
        ["n=20", "d=3"],
        pytest.param(["-m", "n=20,30"], marks=pytest.mark.slow),
        pytest.param(["--cfg", "job"], marks=pytest.mark.slow),
    ],
)
def test_no_password_is_printed_or_kept(tmp_path, words):
    password = "a/5ecret (with) \"quotes'@and:more"
    status, said, kept = said_by(
        tmp_path, *words, f"tracking.uri=http://user:{password}@127.0.0.1:9"
    )
    assert status == (0 if "--cfg" in words else 2)
    assert "127.0.0.1:9" in said
    assert "5ecret" not in said + kept


@pytest.mark.slow
@pytest.mark.parametrize("words", [["--cfg", "job"], ["--info", "all"], ["-m", "n=20,30", "d=3"]])
def test_nor_is_one_from_the_environment(tmp_path, words):
    uri = "http://user:5ecret@127.0.0.1:9"
    _, said, kept = said_by(tmp_path, *words, MLFLOW_TRACKING_URI=uri)
    assert "5ecret" not in said + kept
