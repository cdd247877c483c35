"""One file is enough for a solver, a problem, a data set and a claim, here and outside."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from experiments.report.page import maths
from softres.common.declarations import REQUIRED
from softres.common.discovery import add_plugins, catalogue
from softres.common.errors import InputError

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "examples"
#: Where each file belongs in the project.
HOMES = {
    "polyak.py": "softres/solvers",
    "arcsinh.py": "softres/problems",
    "diabetes.py": "softres/data/sets",
    "residual.py": "experiments/claims/practice",
}


@pytest.fixture(params=["inside", "outside"])
def project(request, tmp_path):
    """Return a function that runs a command where the four files are known, and its folder."""
    root, plugins = ROOT, [str(EXAMPLES / name) for name in HOMES]
    if request.param == "inside":
        root, plugins = tmp_path / "project", []
        for folder in ("softres", "experiments", "conf", "scripts"):
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / folder, root / folder, ignore=ignored)
        shutil.copy(ROOT / "run.py", root)
        for name, home in HOMES.items():
            shutil.copy(EXAMPLES / name, root / home)

    def command(script, *arguments):
        if plugins and script == "run.py":
            arguments = (*arguments, f"plugins=[{','.join(plugins)}]")
        elif plugins:
            arguments = (*arguments, "--plugins", *plugins)
        return subprocess.run(
            [sys.executable, str(root / script), *arguments],
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": str(root), "COLUMNS": "160", "OMP_NUM_THREADS": "1"},
            capture_output=True,
            text=True,
            timeout=300,
            check=True,
        ).stdout

    return command, tmp_path


def test_help_lists_what_is_there_and_its_options(project):
    command, _ = project
    shown = command("run.py", "--help", "solver=polyak")
    groups = {
        match[1]: match[2] for match in re.finditer(r"^    (\w+) +(.*(?:\n {18}.*)*)", shown, re.M)
    }
    assert "polyak" in groups["solver"]
    assert "arcsinh" in groups["problem"]
    assert "diabetes" in groups["data"]
    assert "residual" in groups["experiment"]
    assert "solver.least=0.0  L(x*)" in shown


@pytest.mark.slow
def test_they_run_are_recorded_and_are_judged_like_any_other(project):
    command, folder = project
    shown = command(
        *("run.py", "-m", "solver=polyak,exact_newton", "problem=arcsinh,softmax"),
        *("data=diabetes", "max_steps=30"),
    )
    table = shown[shown.index(" jobs ") :]
    for run in (
        "polyak arcsinh diabetes n=442 d=10 seed=0",
        "polyak softmax diabetes n=442 d=10 seed=0",
        "exact_newton arcsinh diabetes n=442 d=10 seed=0",
        "exact_newton softmax diabetes n=442 d=10 seed=0",
    ):
        assert run in table
    assert table.count("converged") >= 2
    from softres.tracking import TrackingOptions, open_store

    store = open_store(TrackingOptions(folder=str(folder / "results")))
    solvers = [run.params["solver"] for run in store.finished_runs()]
    assert sorted(solvers) == ["exact_newton", "exact_newton", "polyak", "polyak"]
    again = command(
        "run.py", "solver=exact_newton", "problem=softmax", "data=diabetes", "max_steps=30"
    )
    assert "skipped, run " in again

    command("scripts/report.py", "--claims", "residual", "--profile", "quick")
    verdicts = pd.read_csv(folder / "results" / "verdicts.csv")
    assert verdicts["claim"].tolist() == ["residual"]
    assert verdicts["verdict"].tolist() == ["holds"]
    statement = maths.mathml("The loss at x* is small.")
    assert statement in (folder / "results" / "report.html").read_text()
    assert json.loads((folder / "results" / "report.json").read_text())


@pytest.mark.slow
def test_workers_know_a_plugin_and_a_run_of_it_is_repeated_only_with_it(tmp_path):
    def command(script, *arguments):
        return subprocess.run(
            [sys.executable, str(ROOT / script), *arguments],
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": str(ROOT), "COLUMNS": "160"},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    shutil.copy(EXAMPLES / "polyak.py", tmp_path)
    ended = command(
        *("run.py", "-m", "hydra/launcher=joblib", "hydra.launcher.n_jobs=2"),
        *("plugins=[polyak.py]", "solver=polyak", "seed=0,1", "n=60", "d=4", "max_steps=5"),
    )
    assert ended.returncode == 0, ended.stderr
    from softres.tracking import TrackingOptions, open_store

    store = open_store(TrackingOptions(folder=str(tmp_path / "results")))
    runs = [run.run_id for run in store.finished_runs()]
    assert len(runs) == 2
    refused = command("scripts/reproduce.py", runs[0])
    assert refused.returncode == 2
    assert "it was made with plugins=['polyak.py']: give --plugins FILE" in refused.stderr
    repeated = command("scripts/reproduce.py", runs[0], "--plugins", "polyak.py")
    assert "the same to the last bit: 6 rows" in repeated.stdout


def test_a_file_outside_is_part_of_the_key(tmp_path):
    from softres.common.discovery import _plugins, find
    from softres.harness.keys.digests import solver_digest

    digests = []
    for least in ("0.0", "0.5"):
        folder = tmp_path / least
        folder.mkdir()
        text = (
            (EXAMPLES / "polyak.py")
            .read_text()
            .replace("least: float = 0.0", f"least: float = {least}")
        )
        (folder / "other.py").write_text(text.replace('"polyak"', f'"polyak_{least[-1]}"'))
        add_plugins([str(folder / "other.py")])
        digests.append(solver_digest(find("solver", f"polyak_{least[-1]}")))
        del _plugins["solver"][f"polyak_{least[-1]}"]
    assert digests[0] != digests[1]


WRONG = {
    "nothing": ("x = 1\n", "holds no Solver, Problem, DataSet or Theorem with"),
    "no Python": ("class Mine(Solver)\n    name = 'mine'\n", r"line 1: expected ':'"),
    "taken": (
        'from softres.solvers import Solver\nclass Mine(Solver):\n    name = "exact_newton"\n',
        r"solver=exact_newton is taken by .*exact_newton\.py; rename it",
    ),
    "no literal": (
        'class Mine(Solver):\n    name = "mine"\n\n    a: float = f()\n',
        r"line 4: f\(\): a default must be a literal",
    ),
    "a default that is made": (
        'class Mine(Solver):\n    name = "mine"\n\n    a: list = field(default_factory=make)\n',
        r"line 4: field\(default_factory=.*: a default must be a literal",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_file_that_cannot_be_used_is_said_to_be_so_in_one_line(case, tmp_path):
    text, message = WRONG[case]
    path = tmp_path / "mine.py"
    path.write_text(text)
    with pytest.raises(InputError, match=message) as caught:
        add_plugins(str(path))
    assert "\n" not in str(caught.value)
    assert "mine" not in catalogue("solver")


@pytest.mark.parametrize("given", ["missing.py", 5, [3], "run.txt"])
def test_what_is_no_file_is_refused(given):
    with pytest.raises(InputError, match=r"^plugins="):
        add_plugins(given)


def test_an_option_without_a_default_must_be_given(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text('class Needy(Solver):\n    name = "needy"\n    a: float\n')
    (declaration,) = add_plugins(str(path))
    assert declaration.options == {"a": REQUIRED}


@pytest.mark.parametrize("name", HOMES)
def test_the_recipes_of_the_documents_are_these_files(name):
    page = (ROOT / "docs" / "tutorials" / "extend.md").read_text()
    assert f"```python\n{(EXAMPLES / name).read_text()}```" in page
    assert f"](examples/{name})" in (ROOT / "README.md").read_text()
    lines = (EXAMPLES / name).read_text().splitlines()
    assert sum(bool(line.strip()) and not line.startswith('"""') for line in lines) <= 60
