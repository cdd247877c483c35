"""Every example runs as it stands and draws its figure, which the documents show."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from documents import ROOT, links

PAGE = "docs/tutorials/examples.md"
SCRIPTS = sorted(path.stem for path in (ROOT / "docs" / "figures").glob("*.png"))


def test_every_script_is_on_the_page_with_its_figure():
    shown = [path for path, _ in links(PAGE)]
    assert len(SCRIPTS) == 6
    for name in SCRIPTS:
        assert f"../../examples/{name}.py" in shown
        assert f"../figures/{name}.png" in shown


@pytest.mark.slow
@pytest.mark.parametrize("name", SCRIPTS)
def test_an_example_runs_and_draws(name, tmp_path):
    done = subprocess.run(
        [sys.executable, "-W", "error", str(ROOT / "examples" / f"{name}.py"), str(tmp_path)],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT), "MPLBACKEND": "agg", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()
    assert (tmp_path / f"{name}.png").stat().st_size > 5000
