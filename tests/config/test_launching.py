"""Hydra's launchers: the choices, what they need, and the same results from each."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import warnings
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml
from hydra import compose, initialize_config_dir

from softres.common.errors import InputError
from softres.config import launching
from softres.config.choices import register
from softres.config.launching import check_launcher, limit_batches, workers
from softres.tracking.environment import cores

# Hydra says so of every plugin that registers the schema of its launcher, which a choice of the
# same name in conf/ then extends.
pytestmark = pytest.mark.filterwarnings(
    r"ignore:\n.*is validated against ConfigStore schema:UserWarning"
)

ROOT = Path(__file__).parents[2]
CHOICES = sorted(path.stem for path in (ROOT / "conf" / "hydra" / "launcher").glob("*.yaml"))
PLUGINS = {
    "joblib": "hydra_joblib_launcher",
    "submitit_local": "hydra_submitit_launcher",
    "submitit_slurm": "hydra_submitit_launcher",
    "ray": "hydra_ray_launcher",
}


def is_installed(choice):
    try:
        return find_spec(f"hydra_plugins.{PLUGINS[choice]}") is not None
    except ModuleNotFoundError:
        return False


def run(folder, *arguments):
    return subprocess.run(
        [sys.executable, str(ROOT / "run.py"), *arguments],
        cwd=folder,
        env={**os.environ, "SOFTRES_CACHE": str(folder / "cache"), "COLUMNS": "160"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def composed(*overrides):
    register()
    with initialize_config_dir(version_base="1.3", config_dir=str(ROOT / "conf")):
        return compose("config", overrides=list(overrides), return_hydra_config=True).hydra


def test_the_choices_are_serial_and_those_of_the_plugins():
    assert sorted(["serial", *PLUGINS]) == CHOICES


def test_a_launcher_without_workers_is_refused(monkeypatch):
    monkeypatch.setattr(launching, "find_spec", lambda name: True)  # as if it were installed
    check_launcher(composed("hydra/launcher=joblib", "hydra.launcher.n_jobs=-1"))
    with pytest.raises(InputError, match=r"hydra\.launcher\.n_jobs=0: allowed is a number of wor"):
        check_launcher(composed("hydra/launcher=joblib", "hydra.launcher.n_jobs=0"))


@pytest.mark.parametrize(
    ("overrides", "count"),
    [
        (["hydra/launcher=serial"], 1),
        (["hydra/launcher=joblib"], cores()),
        (["hydra/launcher=joblib", "hydra.launcher.n_jobs=3"], 3),
        (["hydra/launcher=joblib", "hydra.launcher.n_jobs=-2"], max(1, cores() - 1)),
        (["hydra/launcher=submitit_slurm"], 1),
        (["hydra/launcher=ray"], cores()),
        (["hydra/launcher=ray", "hydra.launcher.ray.init.num_cpus=4"], 4),
    ],
)
def test_how_many_jobs_share_the_machine(overrides, count):
    assert workers(composed(*overrides)) == count


def test_submitit_starts_no_more_processes_than_there_are_cores():
    hydra = composed("hydra/launcher=submitit_local")
    limit_batches(hydra)
    assert hydra.sweeper.max_batch_size == workers(hydra) == cores()
    given = composed("hydra/launcher=submitit_local", "hydra.sweeper.max_batch_size=3")
    limit_batches(given)
    assert given.sweeper.max_batch_size == workers(given) == 3


@pytest.mark.parametrize("choice", PLUGINS)
def test_a_plugin_that_is_missing_is_named_with_its_remedy(tmp_path, choice):
    if is_installed(choice):
        pytest.skip(f"{PLUGINS[choice]} is installed")
    ended = run(tmp_path, "-m", "seed=0,1", f"hydra/launcher={choice}")
    assert ended.returncode == 2
    line = rf"softres: hydra/launcher={choice}: .* is not installed; pip install -e '\.\[\w+\]'\n"
    assert re.fullmatch(line, ended.stderr)


@pytest.mark.slow
@pytest.mark.parametrize("choice", ["joblib", "submitit_local", "ray"])
def test_a_launcher_gives_the_keys_and_solutions_of_serial_runs(tmp_path, choice):
    if not is_installed(choice):
        pytest.skip(f"{PLUGINS[choice]} is not installed")
    words = ("-m", "seed=range(3)", "n=120", "d=5", "hydra.job.name=softres")
    serial, parallel = tmp_path / "serial", tmp_path / "parallel"
    for folder, launcher in ((serial, "serial"), (parallel, choice)):
        folder.mkdir()
        ended = run(folder, *words, f"hydra/launcher={launcher}")
        assert ended.returncode == 0, ended.stderr[-2000:]
    first, second = (stored(folder) for folder in (serial, parallel))
    assert first.keys() == second.keys()
    assert len(first) == 3
    for key, run_there in first.items():
        there, here = run_there.data, second[key].data
        assert (there.tags["timing_valid"], here.tags["timing_valid"]) == ("true", "false")
        assert here.tags["launcher"] == choice
        assert here.metrics["error_l2"] == pytest.approx(there.metrics["error_l2"], abs=1e-12)
    again = run(parallel, *words, f"hydra/launcher={choice}")
    assert again.stdout.count("skipped, run") >= 3


def stored(folder):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of MLflow's own tables
        from mlflow.tracking import MlflowClient

        client = MlflowClient(tracking_uri=f"sqlite:///{folder / 'results' / 'mlflow.db'}")
    return {run.data.tags["key"]: run for run in client.search_runs(["1"])}


@pytest.mark.parametrize("choice", CHOICES)
def test_a_choice_says_what_it_is_for(choice):
    text = (ROOT / "conf" / "hydra" / "launcher" / f"{choice}.yaml").read_text("utf-8")
    assert text.startswith("# ")
    assert yaml.safe_load(text)["_target_"].startswith("hydra")
