"""What the documents show is executed: Python as it stands, commands for real or as a dry run."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from itertools import islice, product

import numpy as np
import pytest
from documents import PAGES, ROOT, blocks, commands
from hydra import compose, initialize_config_dir
from hydra.core.override_parser.overrides_parser import OverridesParser

from softres.config.choices import register
from softres.config.settings import settings
from softres.config.typed.command_line import command_words

#: Commands that take too long, or need what a test has not: what tests them instead.
ELSEWHERE = {
    'pip install -e .': ".ci/run and test_wheel install it",
    'pip install -e ".[test]"': ".ci/run",
    'pip install -e ".[joblib]"': "an extra of [test]",
    'pip install -e ".[benchmark]"': "the test below reads every extra from pyproject.toml",
    'pip install -e ".[docs]"': "an extra of [test]",
    **dict.fromkeys(
        ("pytest", "ruff check .", "ruff format --check .", "lint-imports", "mypy"),
        ".ci/run",
    ),
    "mkdocs build": "test_links builds the site",
    "mkdocs serve": "test_links builds the site",
    'eval "$(python run.py -sc install=bash)"': "tests/cli/test_completion.py",
    "apt install postgresql": "tests/helpers/postgres.py starts a server",
    "pip install psycopg2-binary": "an extra of [test]",
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION=false mlflow server --workers 1 --host 0.0.0.0 --port 5000 "
    "--backend-store-uri postgresql+psycopg2://mlflow@localhost/mlflow --artifacts-destination "
    "/srv/mlflow": "tests/tracking/test_server.py starts one",
    'python run.py -m seed="range(10)" tracking=server tracking.uri=http://host:5000':
        "tests/tracking/test_server.py",
    "python scripts/reproduce.py 1a2b3c4d": "tests/cli/test_reproduce.py, with an id that there is",
    "python scripts/report.py --profile quick": "test_report.py, on some of the claims",
    "python scripts/report.py": "test_report.py, on some of the claims",
    "python scripts/report.py --claims shrinking --profile quick": "test_report.py, on others",
    "python scripts/report.py --plugins examples/residual.py --claims residual":
        "test_plugins.py, the quick profile",
    "python scripts/report.py --profile quick --plugins examples/tanh_theorem.py --theorem tanh":
        "tests/experiments/claims/test_theorems.py, on a smaller instance",
    "python scripts/report.py --theorem exp": "tests/experiments/claims/test_theorems.py",
    "python scripts/report.py --no-download": "test_report.py, on some of the claims",
    "python scripts/report.py --profile quick --claims psd": "test_report.py, on others",
    "python scripts/figures.py --sweep last": "sweep.md, after a sweep",
    "python scripts/gpu.py": "tests/experiments/card",
    "python scripts/stress/throughput.py": "a measurement of half an hour, no test",
    "python scripts/benchmark.py": "tests/experiments/race",
    "python scripts/step_cost.py": "tests/experiments/race",
    "python scripts/ablation.py --quick": "tests/experiments/ablation",
}  # fmt: skip
#: Runs that are done for real; of the others every job's configuration is made and checked.
FOR_REAL = (
    "python run.py -m data=file data.path=my.npz problem=softres,softmax "
    "solver=preconditioned_newton",
    "python run.py -m plugins=[examples/polyak.py] data=file data.path=my.npz problem=softmax "
    "solver=polyak,exact_newton",
    "python run.py data=streamed data.path=folder data.memory=2",
    'python run.py -m n=500,2000 d=10 seed="range(3)" solver=exact_newton,preconditioned_newton',
)
#: Jobs of a sweep whose configuration is made; the others differ in a seed.
MOST_JOBS = 12
PYTHON = [page for page in PAGES if any(kind == "python" for kind, _ in blocks(page))]
SHELL = [page for page in PAGES if any(kind == "sh" for kind, _ in blocks(page))]
#: Their blocks are files of ``examples/``, which test_plugins runs.
RECIPES = "docs/tutorials/extend.md"


def outcome(folder, words, **more):
    done = subprocess.run(
        words,
        cwd=folder,
        env=os.environ
        | {"PYTHONPATH": str(ROOT), "SOFTRES_CACHE": str(folder / "cache"), "COLUMNS": "160",
           "OMP_NUM_THREADS": "1", "MPLBACKEND": "agg"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        **more,
    )  # fmt: skip
    assert done.returncode == 0, f"{words}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def follow(folder, command):
    """Run a command of the documents, or check every job that it asks for."""
    words = shlex.split(command)
    assert words[0] in ("python", "softres"), f"neither run nor tested elsewhere: {command}"
    if words[1] == "run.py" and "--help" not in words and command not in FOR_REAL:
        assert jobs(words[2:]) >= 1
        return
    words = [sys.executable, *words[1:]] if words[0] == "python" else [sys.executable, "-m", *words]
    if words[1].startswith("scripts/") or words[1] == "run.py":
        words[1] = str(ROOT / words[1])
    outcome(folder, words)


def jobs(words):
    """Make and check the configurations of a command's first jobs; return how many."""
    words = [word for word in command_words(words) if word != "-m"]
    register(words)
    asked = OverridesParser.create().parse_overrides(words)
    swept = [
        list(one.sweep_string_iterator())
        if one.is_sweep_override()
        else [one.get_value_element_as_str()]
        for one in asked
    ]
    keys = [one.get_key_element() for one in asked]
    found = 0
    with initialize_config_dir(version_base="1.3", config_dir=str(ROOT / "conf")):
        for values in islice(product(*swept), MOST_JOBS):
            overrides = [f"{key}={value}" for key, value in zip(keys, values, strict=True)]
            settings(compose("config", overrides=overrides))
            found += 1
    return found


@pytest.fixture
def folder(tmp_path, monkeypatch):
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "my.npz", A=rng.standard_normal((90, 4)), b=np.full(90, 1 / 90))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("page", sorted({*PYTHON, *SHELL} - {RECIPES}))
def test_every_block_is_of_a_kind_that_is_tested(page):
    for kind, content in blocks(page):
        assert kind in ("python", "sh", "text", "bibtex"), f"{page}: {kind}"
        if kind == "sh":
            for command in commands(content):
                known = command in ELSEWHERE or shlex.split(command)[0] in ("python", "softres")
                assert known, f"{page}: {command}"


@pytest.mark.slow
@pytest.mark.filterwarnings(r"ignore:\s*'hydra/launcher:UserWarning")
@pytest.mark.parametrize("page", sorted({*PYTHON, *SHELL} - {RECIPES}))
def test_what_a_page_shows_works_in_its_order(page, folder):
    shown = ""
    for kind, content in blocks(page):
        if kind == "python":
            shown += content
            outcome(folder, [sys.executable, "-W", "error", "-"], input=shown)
        for command in commands(content) if kind == "sh" else ():
            if command not in ELSEWHERE:
                follow(folder, command)
