"""Completion in a shell: what is completed, and that nobody else's script is run for it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from softres.cli.completion import completions, script
from softres.common.discovery import catalogue

ROOT = Path(__file__).parents[2]
LINES = {
    "python run.py sol": {"solver=", "solver."},
    "python run.py solver=pre": {"solver=preconditioned_newton"},
    "python run.py -m solver=exact_newton,sc": {
        "solver=exact_newton,scipy_lbfgs",
        "solver=exact_newton,scipy_newton_cg",
        "solver=exact_newton,scipy_trust_ncg",
    },
    "python run.py solver=approx_newton solver.e": {"solver.embedding=", "solver.eps0="},
    "python run.py weights.v": {"weights.value="},
    "python run.py backend=": {f"backend={name}" for name in ("cuda", "dask", "numpy", "torch")},
    "python run.py experiment=quick/ps": {"experiment=quick/psd"},
    "python run.py hydra/launcher=j": {"hydra/launcher=joblib"},
    "python run.py n=": set(),
}


@pytest.mark.parametrize("line", LINES)
def test_groups_choices_keys_and_options_are_completed_after_commas_too(line):
    assert set(completions(line)) == LINES[line]


def complete(line, folder):
    """Return what bash would offer for a line."""
    lines = [
        script("bash"),
        f"COMP_LINE={line!r}; COMP_POINT=${{#COMP_LINE}}; COMP_WORDBREAKS=' '",
        "_softres_complete",
        'printf "%s\\n" "${COMPREPLY[@]}"',
    ]
    done = subprocess.run(
        ["bash", "-c", "\n".join(lines)],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stderr == ""
    return set(done.stdout.split())


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
def test_another_script_on_the_line_is_never_run(tmp_path):
    danger = "open('harm', 'w').close()\nimport hydra  # @hydra.main\n"
    (tmp_path / "danger.py").write_text(danger)
    (tmp_path / "run.py").write_text(danger)
    for name in ("danger.py", "run.py", "missing.py"):
        assert complete(f"python {name} solver=", tmp_path) == set()
    assert not (tmp_path / "harm").exists()
    offered = complete(f"python {ROOT / 'run.py'} solver=", tmp_path)
    assert offered == {f"solver={name}" for name in catalogue("solver")}


def test_what_a_shell_is_told_names_the_interpreter_and_the_script_in_full():
    text = script("bash")
    assert f"{sys.executable} {ROOT / 'run.py'} -sc query=bash" in text
    assert text.rstrip().endswith("-F _softres_complete softres python python3")
