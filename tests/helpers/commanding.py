"""Commands as people type them: each a process of its own in an empty folder."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import warnings
from functools import cache
from pathlib import Path

from softres.common.discovery import catalogue

ROOT = Path(__file__).parents[2]
CONF = ROOT / "conf"
GROUPS = {
    folder.name: sorted(file.stem for file in folder.glob("*.yaml"))
    for folder in CONF.iterdir()
    if folder.is_dir() and folder.name != "hydra" and any(folder.glob("*.yaml"))
} | {kind: sorted(catalogue(kind)) for kind in ("solver", "problem", "data")}


def command(*arguments, python=()):
    return [sys.executable, *python, str(ROOT / "run.py"), *arguments]


def environment(folder, **variables):
    inherited = {key: value for key, value in os.environ.items() if key != "HYDRA_FULL_ERROR"}
    return inherited | {
        "SOFTRES_CACHE": str(folder / "cache"),
        "OPENBLAS_NUM_THREADS": "1",
        "CUDA_VISIBLE_DEVICES": "",
        "COLUMNS": "160",  # tables do not fold
        **variables,
    }


def run(folder, *arguments, python=(), stderr=subprocess.PIPE, **variables):
    """Run a command in a folder to its end."""
    return subprocess.run(
        command(*arguments, python=python),
        cwd=folder,
        env=environment(folder, **variables),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
        timeout=120,
        check=False,
    )


def client(folder):
    """A client of the store in a folder's results."""
    return client_of(folder / "results")


@cache
def client_of(results):
    """A client of a store; `open_store` would close runs that were left open."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of MLflow's own tables
        from mlflow.tracking import MlflowClient

        return MlflowClient(tracking_uri=f"sqlite:///{results / 'mlflow.db'}")


def stored_runs(folder):
    """The runs of a folder's store, oldest first."""
    experiment = client(folder).get_experiment_by_name("softres")
    runs = client(folder).search_runs([experiment.experiment_id])
    return sorted(runs, key=lambda stored: stored.info.start_time)


def script(folder, name, *arguments):
    """Run a script in a folder to its end."""
    return subprocess.run(
        [sys.executable, str(ROOT / "scripts" / name), *arguments],
        cwd=folder,
        env=environment(folder),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def rows_of_table(text):
    """The rows of the closing table: job, run and all that follows."""
    table = text[text.index("- jobs -") :]
    return re.findall(r"^ +(\d+)  (\S.*?seed=\d+) +(.*?) *$", table, re.M)


def check_refused(folder, ended, message):
    assert re.fullmatch(rf"softres: {message}.*\n", ended.stderr), ended.stderr
    assert ended.returncode == 2
    assert not list(folder.rglob("mlflow.db"))
    assert not list(folder.rglob("outcome.json"))
