"""A reader that has seen enough, ``| head -1``, is no trouble to a command."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    "words",
    [
        ["-m", "softres", "--help"],
        ["run.py", "--help"],
        ["scripts/reproduce.py", "--help"],
        pytest.param(["scripts/figures.py", "--help"], marks=pytest.mark.slow),
        pytest.param(["-m", "softres", "data", "list"], marks=pytest.mark.slow),
    ],
)
def test_a_closed_pipe_is_silent(words):
    read, write = os.pipe()
    os.close(read)
    try:
        done = subprocess.run(
            [sys.executable, *words],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=write,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            timeout=120,
        )
    finally:
        os.close(write)
    assert (done.returncode, done.stderr) == (0, "")
