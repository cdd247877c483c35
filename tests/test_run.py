"""The command line as people use it: each command is a process of its own in an empty folder."""

from __future__ import annotations

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
import warnings
from contextlib import closing
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

import softres
from softres.common.discovery import catalogue
from softres.data.files.shard_writer import write_folder

ROOT = Path(__file__).parents[1]
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


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    """What --help prints, and on stderr what was imported for it."""
    return run(tmp_path_factory.mktemp("help"), "--help", python=("-X", "importtime"))


class TestHelp:
    def test_it_lists_every_choice_of_every_group_and_no_other(self, shown):
        section = shown.stdout[shown.stdout.index("Choices (") :].split("\n\n")[0]
        entries = re.split(r"^ {4}(?=\w)", section, flags=re.M)[1:]
        listed = {}
        for entry in entries:
            group, _, choices = entry.partition(" ")
            words = re.sub(r"\(.*?\)", "", choices, flags=re.S)
            listed[group] = sorted(words.replace(",", " ").split())
        assert listed == GROUPS

    def test_it_ends_well_before_anything_heavy_is_imported(self, shown):
        assert shown.returncode == 0
        imported = set(re.findall(r"\| +([\w.]+)$", shown.stderr, re.M))
        assert "softres.cli.run" in imported
        heavy = {
            "hydra",
            "numpy",
            "scipy",
            "torch",
            "mlflow",
            "pandas",
            "seaborn",
            "sklearn",
            "rich",
        }
        assert not heavy & imported

    def test_it_leaves_nothing_behind(self, tmp_path):
        run(tmp_path, "--help")
        assert list(tmp_path.iterdir()) == []


def test_a_shell_completes_choices(tmp_path):
    shown = run(tmp_path, "-sc", "query=bash", COMP_LINE="python run.py n=9 solver=")
    assert shown.returncode == 0
    assert sorted(shown.stdout.split()) == [f"solver={choice}" for choice in GROUPS["solver"]]


BAD = {
    "n=0": r"n=0: allowed is a whole number >= 1",
    "n=3": r"n=3: .* n >= d=20",
    "n=abc": r"n=abc: must be a whole number",
    "eps=2": r"eps=2\.0: allowed is 0 < eps < 1",
    "R=-1": r"R=-1\.0: allowed is a number between 0 and 1e6",
    "solver=typo": r"solver=typo: .* allowed are approx_newton, exact_newton, gradient_descent",
    "backend=cuda": r"backend\.device=cuda: .* no CUDA device .* backend\.device=cpu",
    "typo=1": r"typo: no such key; .* shows those there are",
    "solvr=exact_newton": r"solvr: no such key; did you mean solver\?",
    "N=100": r"N: no such key; did you mean n\? \(capitals count\)",
    "eps0=0.1": r"eps0: no such key; did you mean solver\.eps0 \(of solver=approx_newton\)\?",
    "dry_run=true": r"dry_run: no such key; did you mean sweep\.dry_run\?",
    "data.path=x": r"data\.path: no such key; it is an option of data=file: add that .*",
    "solver=aprox_newton": r"solver=aprox_newton: .* did you mean approx_newton\? allowed are .*",
    "weights=1e-4": r"weights=1e-4: .* absolute, .* theorem; weights\.value=1e-4 sets the number",
    "weights=theorem weights.value=0.1": r"weights\.value=0\.1 .* weights=theorem: .* no value; .*",
    "weights=none weights.value=0.1": r"weights\.value=0\.1 with weights=none: it takes no value.*",
    "seed=range(3)": r"seed=range\(3\): several values need -m: .* -m 'seed=range\(3\)'",
    "n=100,200": r"n=100,200: several values need -m: python run\.py -m n=100,200",
    "-n 1000": r"-n: no such option; keys have no dashes: n=1000",
    "-m n=1.5,3": r"n=1\.5: must be a whole number",
    "-m eps=small,0.1": r"eps=small: must be a number",
    "solver=approx_newton solver.eps0=3": r"solver\.eps0=3\.0: approx_newton allows 0 < eps0 < 1",
    "data=digits n=100": r"n=100: data=digits has n=1797; leave it out",
    "solver=torch_lbfgs": r"solver=torch_lbfgs with backend=numpy: .* backend=torch only",
    "backend=torch data=streamed data.path=SHARDS": r"backend=torch .* with data=streamed: .* dask",
    "-m solver=torch_lbfgs backend=numpy,dask": r"every job of the sweep was left out, see above",
    "-m n=100 solver.eps0=0.1,0.2": r"solver\.eps0: no such key; .*",
    "plugins=[missing.py]": r"plugins=missing\.py: no such Python file",
    "backend=dask backend.address=nowhere": r"backend.*(no Dask scheduler|not installed).*",
    "sweep.objective=typo": r"sweep\.objective=typo: allowed are error, seconds, steps, passes",
    "memory_limit=0": r"memory_limit=0\.0: allowed is a positive number of GiB",
    "tracking=server tracking.uri=http://me:s3cret@127.0.0.1:9": r"\S+//127\.0\.0\.1:9: no server",
    "-m hydra/launcher=typo": r"hydra/launcher=typo: .* allowed are .*joblib, ray, serial",
    "-m n=range(9,5)": r"the sweep has no jobs: .* range",
    "-m n=1000,-1": r"n=-1: allowed is a whole number >= 1",
    "-m solver=exact_newton,typo": r"solver=typo: .* allowed are",
    "tracking.port=0": r"tracking\.port=0: must be in 1 \.\.\. 65535",
    "data=file data.path=missing.npz": r"data\.path=missing\.npz: No such file",
    "data=file": r"data\.path: data=file needs the path",
    # The sweep's own data.rows is no option of other data; n and d are not theirs.
    "-m +experiment=quick/sparsifier data=digits": r"experiment=sparsifier with data=digits: .*",
    "experiment=quick/basin data=digits R=null": r"experiment=basin .* data=synthetic only",
    "-m +experiment=quick/psd backend=torch,numpy": r"experiment=psd with backend=torch: .*",
}


def check_refused(folder, ended, message):
    assert re.fullmatch(rf"softres: {message}.*\n", ended.stderr), ended.stderr
    assert ended.returncode == 2
    assert not list(folder.rglob("mlflow.db"))
    assert not list(folder.rglob("outcome.json"))


@pytest.mark.parametrize("arguments", BAD)
def test_bad_input_ends_in_one_line_and_starts_nothing(tmp_path, arguments):
    if "SHARDS" in arguments:
        write_folder(tmp_path / "SHARDS", [A], B)
    check_refused(tmp_path, run(tmp_path, *arguments.split()), BAD[arguments])


def test_combinations_that_make_no_sense_are_left_out_and_counted(tmp_path):
    grid = ("solver=exact_newton,scipy_lbfgs,torch_lbfgs", "backend=numpy,torch")
    ended = run(tmp_path, "-m", *grid, "n=60", "d=4", "sweep.dry_run=true")
    assert ended.returncode == 0
    assert re.findall(
        r"^left out: (solver=\w+ with backend=\w+): .* \((\d) job\)$", ended.stdout, re.M
    ) == [
        ("solver=scipy_lbfgs with backend=torch", "1"),
        ("solver=torch_lbfgs with backend=numpy", "1"),
    ]
    assert "4 of 4 jobs would run" in ended.stdout


def test_an_option_goes_to_the_choice_that_has_it(tmp_path):
    ended = run(
        tmp_path,
        *("-m", "solver=exact_newton,approx_newton", "solver.eps0=0.1,0.25"),
        *("n=60", "d=4", "sweep.dry_run=true"),
    )
    assert ended.returncode == 0
    assert ended.stdout.count("exact_newton n=60") == 1
    assert ended.stdout.count("approx_newton n=60") == 2
    assert "3 of 3 jobs would run" in ended.stdout


def test_one_value_of_an_option_goes_to_the_choice_that_has_it(tmp_path):
    ended = run(
        tmp_path,
        *("-m", "solver=exact_newton,approx_newton", "solver.eps0=0.1"),
        *("n=60", "d=4", "sweep.dry_run=true"),
    )
    assert ended.returncode == 0
    assert ended.stdout.count("approx_newton n=60 d=4 seed=0 solver.eps0=0.1") == 1
    assert "2 of 2 jobs would run" in ended.stdout


def test_a_group_without_a_choice_ends_in_one_line(tmp_path):
    check_refused(tmp_path, run(tmp_path, "solver=null"), "solver=null: must be a choice; .*")


def test_a_whole_number_may_be_written_as_a_float(tmp_path):
    grid = ("-m", "n=6e1,70.0", "d=4e0", "seed=range(0,2e0)", "max_steps=1e2")
    own = ("solver=approx_newton", "solver.rows=3e1")
    ended = run(tmp_path, *grid, *own, "sweep.dry_run=true")
    assert (ended.returncode, ended.stderr) == (0, "")
    plans = re.findall(r"approx_newton (n=\S+ d=\S+ seed=\S+) ", ended.stdout)
    assert plans == [f"n={n} d=4 seed={seed}" for n in (60, 70) for seed in (0, 1)]


def test_the_version_is_that_of_softres(tmp_path):
    ended = run(tmp_path, "--version")
    assert (ended.returncode, ended.stdout) == (0, f"softres {softres.__version__}\n")


A = np.random.default_rng(0).standard_normal((20, 3))
B = np.full(20, 0.05)


def with_entry(array, index, value):
    changed = array.copy()
    changed[index] = value
    return changed


FILES = {
    "nan": ({"A": with_entry(A, (4, 1), np.nan), "b": B}, "A holds NaN or infinite values"),
    "negative": ({"A": A, "b": with_entry(B, 3, -0.05)}, r"b must be non-negative.* -0\.05"),
    "short": ({"A": A, "b": B[:5]}, r"b must have shape \(20,\), not \(5,\)"),
    "objects": ({"A": A.astype(object), "b": B}, r"cannot be read as a \.npz file"),
}


@pytest.mark.parametrize("name", [*FILES, "truncated"])
def test_a_file_that_cannot_be_used_ends_in_one_line(tmp_path, name):
    arrays, message = FILES.get(name, ({"A": A, "b": B}, r"cannot be read as a \.npz file"))
    path = tmp_path / f"{name}.npz"
    np.savez(path, **arrays)
    if name == "truncated":
        path.write_bytes(path.read_bytes()[:-100])
    ended = run(tmp_path, "data=file", f"data.path={name}.npz")
    check_refused(tmp_path, ended, rf"data\.path={name}\.npz: .*{message}")


def test_a_users_own_file_is_solved_without_tracking(tmp_path):
    np.savez(tmp_path / "mine.npz", A=A, b=B)
    ended = run(tmp_path, "data=file", "data.path=mine.npz", "tracking=none")
    assert ended.returncode == 0
    assert ended.stderr == ""
    assert rows_of_table(ended.stdout)[0][1] == "exact_newton file n=20 d=3 seed=0"
    assert not list(tmp_path.rglob("mlflow.db"))


def test_a_damaged_reference_is_set_aside_and_the_next_run_works(tmp_path):
    arguments = ("n=60", "d=4", "tracking=none")
    assert run(tmp_path, *arguments).returncode == 0
    (file,) = (tmp_path / "cache").rglob("reference-*.npz")
    file.write_bytes(file.read_bytes()[:-50])
    ended = run(tmp_path, *arguments)
    assert re.fullmatch(
        rf"softres: {re.escape(str(file))} is damaged .* run again .*\n", ended.stderr
    )
    assert ended.returncode == 2
    assert list(file.parent.glob("reference-*.damaged-*"))
    again = run(tmp_path, *arguments)
    assert again.returncode == 0
    assert rows_of_table(again.stdout)[0][2].startswith("converged")


SIZES, SOLVERS = (100, 120), ("exact_newton", "gradient_descent")
SWEEP = ("-m", "n=100,120", "d=5", "solver=exact_newton,gradient_descent")
NAMES = [f"{solver} n={n} d=5 seed=0" for n in SIZES for solver in SOLVERS]


class Sweep:
    """A sweep of four jobs, two of which end on their step limit, and what it left."""

    def __init__(self, folder):
        self.folder = folder
        self.ended = run(folder, *SWEEP, "max_steps=20")
        self.runs = stored_runs(folder)

    def again(self, *arguments):
        """Run another command in the same folder; return how it ended, and the new runs."""
        before = {stored.info.run_id for stored in stored_runs(self.folder)}
        ended = run(self.folder, *arguments)
        runs = [stored for stored in stored_runs(self.folder) if stored.info.run_id not in before]
        return ended, runs

    def artifact(self, stored, name):
        return Path(client(self.folder).download_artifacts(stored.info.run_id, name))


@pytest.fixture(scope="module")
def sweep(tmp_path_factory):
    return Sweep(tmp_path_factory.mktemp("sweep"))


class TestSweep:
    def test_it_ends_well_and_its_table_shows_each_job(self, sweep):
        assert sweep.ended.returncode == 0
        assert sweep.ended.stderr == ""
        rows = rows_of_table(sweep.ended.stdout)
        assert [row[:2] for row in rows] == [(str(k), name) for k, name in enumerate(NAMES, 1)]
        for (_, name, rest), stored in zip(rows, sweep.runs, strict=True):
            status = "converged" if "newton" in name else "step limit"
            figures = stored.data.metrics
            assert rest.startswith(f"{status} "), rest
            assert rest.split()[-3] == str(int(figures["steps"]))

    def test_it_says_what_it_changes_and_where_it_stands(self, sweep):
        lines = sweep.ended.stdout.splitlines()
        changed = " ".join([*SWEEP[1:], "max_steps=20"])
        assert lines[0] == f"4 jobs: {changed} (--cfg job shows the rest)"
        headings = [line for line in lines if line.startswith("job ") and " of 4" in line]
        assert [line.split(": ")[1] for line in headings] == NAMES
        assert headings[0].startswith("job 1 of 4: ")
        assert re.match(r"job 4 of 4, about \d+ s left: ", headings[3])
        assert sweep.ended.stdout.count("Assumptions of Theorem 9.1") == len(SIZES)

    def test_it_compares_its_solvers(self, sweep):
        rows = re.findall(r"^(\w+) +(\d of \d) +(\d of \d) ", sweep.ended.stdout, re.M)
        assert rows == [
            ("exact_newton", "2 of 2", "2 of 2"),
            ("gradient_descent", "0 of 2", "0 of 2"),
        ]

    def test_it_says_how_to_draw_it(self, sweep):
        (command,) = re.findall(r"^python (scripts/figures\.py .*)$", sweep.ended.stdout, re.M)
        assert command == f"scripts/figures.py --sweep {sweep.runs[0].data.tags['sweep']}"

    def test_it_says_how_to_look_at_its_runs(self, sweep):
        assert re.search(r"^(\S*python -m )?softres ui$", sweep.ended.stdout, re.M)
        link = re.search(
            r"^http://127\.0\.0\.1:5000/#/experiments/(\d+)/runs\?\S*viewStateShareKey=(\S+)$",
            sweep.ended.stdout,
            re.M,
        )
        experiment = client(sweep.folder).get_experiment(link[1])
        view = json.loads(experiment.tags[f"mlflow.sharedViewState.{link[2]}"])
        shown = client(sweep.folder).search_runs([link[1]], view["searchFilter"])
        assert {run.info.run_id for run in shown} == {run.info.run_id for run in sweep.runs}
        drawn = {chart["metricKey"] for chart in view["compareRunCharts"]}
        assert drawn <= shown[0].data.metrics.keys()
        for column in view["selectedColumns"]:
            kind, key = re.fullmatch(r"(\w+)\.`(\w+)`", column).groups()
            assert key in getattr(shown[0].data, kind)
        grouped = [key["groupByData"] for key in view["groupBy"]["groupByKeys"]]
        assert grouped == ["solver", "n"]

    def test_each_job_is_a_finished_run_of_one_sweep(self, sweep):
        assert [stored.info.run_name for stored in sweep.runs] == NAMES
        assert {stored.info.status for stored in sweep.runs} == {"FINISHED"}
        assert len({stored.data.tags["sweep"] for stored in sweep.runs}) == 1

    def test_each_run_says_what_ran_on_what(self, sweep):
        wanted = {
            *("sweep", "commit", "dirty", "code_digest", "instance", "config_hash", "status"),
            *("key", "launcher", "timing_valid", "reference", "regime", "host", "blas"),
            *("blas_threads", "assumption.weights", "assumption.start"),
        }
        for stored in sweep.runs:
            tags = stored.data.tags
            assert wanted <= tags.keys()
            assert all(tags[name] for name in wanted)
            assert (tags["launcher"], tags["timing_valid"]) == ("serial", "true")
            assert tags["reference"] == "certified"
            assert tags["assumption.weights"].startswith("fails")
            limited = stored.data.params["solver"] == "gradient_descent"
            assert tags["status"] == ("step limit" if limited else "converged")
        instances = [stored.data.tags["instance"] for stored in sweep.runs]
        assert instances[0] == instances[1] != instances[2] == instances[3]
        assert len({stored.data.tags["key"] for stored in sweep.runs}) == 4

    def test_parameters_are_those_of_the_job(self, sweep):
        for stored, name in zip(sweep.runs, NAMES, strict=True):
            parameters = stored.data.params
            assert f"{parameters['solver']} n={parameters['n']} d={parameters['d']}" in name
            assert (parameters["eps"], parameters["data.noise"]) == ("1e-10", "0.5")
            hidden = ("tracking", "force", "sweep", "memory_limit")
            assert not any(key.startswith(hidden) for key in parameters)

    def test_each_run_says_what_it_was(self, sweep):
        for stored in sweep.runs:
            tags, figures = stored.data.tags, stored.data.metrics
            note, solver = tags["mlflow.note.content"], stored.data.params["solver"]
            assert f"solver `{solver}`, {figures['n']:.0f} x {figures['d']:.0f}." in note
            assert f"**{tags['status']}** after {figures['steps']:.0f} steps" in note
            assert tags["command"] in note
            assert figures["converged"] == (tags["status"] == "converged")
            assert tags["mlflow.source.git.commit"] == tags["commit"]
            assert tags["mlflow.source.name"] == "run.py"
            (given,) = stored.inputs.dataset_inputs
            assert (given.dataset.name, given.dataset.digest) == ("synthetic", tags["instance"])
            assert json.loads(given.dataset.profile)["n"] == figures["n"]
            packages = sweep.artifact(stored, "requirements.txt").read_text("utf-8")
            assert f"\nnumpy=={np.__version__}\n" in packages

    def test_its_numbers_can_be_filtered_by(self, sweep):
        experiment = client(sweep.folder).get_experiment_by_name("softres").experiment_id
        query = "metrics.n > 110 and metrics.converged = 1 and metrics.eps < 1e-9"
        (found,) = client(sweep.folder).search_runs([experiment], query)
        assert found.info.run_name == NAMES[2]

    def test_each_run_has_its_full_curves(self, sweep):
        for stored in sweep.runs:
            steps = int(stored.data.metrics["steps"])
            assert steps >= 3
            for curve in ("log10_error_H", "log10_relative_gradient", "loss", "solve_seconds"):
                points = client(sweep.folder).get_metric_history(stored.info.run_id, curve)
                points.sort(key=lambda point: point.step)
                assert [point.step for point in points] == list(range(steps + 1))
                times = [point.timestamp for point in points]
                assert times == sorted(times)
                assert stored.info.start_time <= times[0]
                assert times[-1] <= stored.info.end_time
                assert all(np.isfinite(point.value) for point in points)

    def test_each_run_keeps_its_trace_and_its_configuration(self, sweep):
        for stored, name in zip(sweep.runs, NAMES, strict=True):
            trace = pd.read_parquet(sweep.artifact(stored, "trace.parquet"))
            assert list(trace["step"]) == list(range(int(stored.data.metrics["steps"]) + 1))
            points = client(sweep.folder).get_metric_history(stored.info.run_id, "log10_error_H")
            points.sort(key=lambda point: point.step)
            assert [point.value for point in points] == list(trace["log10_error_H"])
            assert trace["log10_error_H"][0] == 0
            kept = yaml.safe_load(sweep.artifact(stored, "config.yaml").read_text("utf-8"))
            assert f"{kept['solver']['name']} n={kept['n']} d={kept['d']}" in name
            assert kept["max_steps"] == 20

    def test_again_it_skips_every_job_and_says_so(self, sweep):
        ended, runs = sweep.again(*SWEEP, "max_steps=20")
        assert ended.returncode == 0
        assert runs == []
        for (_, name, rest), stored in zip(rows_of_table(ended.stdout), sweep.runs, strict=True):
            assert stored.info.run_name == name
            assert rest.startswith(f"skipped, run {stored.info.run_id[:8]} ")
        said = re.findall(r"^  skipped, run (\w+) has finished", ended.stdout, re.M)
        assert said == [stored.info.run_id[:8] for stored in sweep.runs]
        (key,) = re.findall(r"viewStateShareKey=(\S+)$", ended.stdout, re.M)
        experiment = client(sweep.folder).get_experiment_by_name("softres")
        view = json.loads(experiment.tags[f"mlflow.sharedViewState.{key}"])
        assert key not in sweep.ended.stdout
        shown = client(sweep.folder).search_runs([experiment.experiment_id], view["searchFilter"])
        assert {run.info.run_id for run in shown} == {run.info.run_id for run in sweep.runs}

    def test_a_larger_step_limit_runs_again_only_what_had_ended_on_it(self, sweep):
        ended, runs = sweep.again(*SWEEP, "max_steps=30")
        assert ended.returncode == 0
        assert [stored.info.run_name for stored in runs] == NAMES[1::2]
        assert {stored.data.metrics["steps"] for stored in runs} == {30}
        statuses = [rest.split(" ")[0].rstrip(",") for *_, rest in rows_of_table(ended.stdout)]
        assert statuses == ["skipped", "step"] * 2

    def test_a_dry_run_shows_what_would_run_and_runs_nothing(self, sweep):
        ended, runs = sweep.again(
            "-m", "n=100,140", *SWEEP[2:], "max_steps=20", "sweep.dry_run=true"
        )
        assert (ended.returncode, ended.stderr, runs) == (0, "", [])
        plans = re.findall(r"^ +\d+  (\S.*?seed=\d+) +(run|skip)", ended.stdout, re.M)
        assert [plan for _, plan in plans] == ["skip", "skip", "run", "run"]
        assert ended.stdout.count("earlier run") == 2
        assert "2 of 4 jobs would run" in ended.stdout

    def test_a_run_says_how_to_reproduce_it_and_can_be(self, sweep):
        stored = sweep.runs[1]
        expected = "python run.py n=100 d=5 solver=gradient_descent max_steps=20 force=true"
        assert stored.data.tags["command"] == expected
        ended = script(sweep.folder, "reproduce.py", stored.info.run_id[:10])
        assert ended.stdout.splitlines()[-1] == "the same to the last bit: 21 rows", ended.stderr
        assert ended.returncode == 0

    def test_the_solution_is_kept(self, sweep):
        for stored in sweep.runs:
            with np.load(sweep.artifact(stored, "solution.npz")) as kept:
                assert kept["x"].shape == (5,)

    def test_force_runs_again_what_is_finished(self, sweep):
        single = ("n=100", "d=5", "max_steps=20")
        ended, runs = sweep.again(*single, "force=true")
        assert ended.returncode == 0
        (forced,) = runs
        first = sweep.runs[0]
        assert forced.info.run_name == first.info.run_name
        assert forced.data.tags["key"] == first.data.tags["key"]
        assert forced.data.metrics["steps"] == first.data.metrics["steps"]


def test_mlflows_variables_choose_where_the_command_line_does_not(tmp_path):
    place = f"sqlite:///{tmp_path / 'own.db'}"
    variables = {"MLFLOW_TRACKING_URI": place, "MLFLOW_EXPERIMENT_NAME": "theirs"}
    small = ("n=60", "d=4", "tracking.experiment=mine")
    ended = run(tmp_path, *small, **variables)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert f"from the environment: tracking.uri={place} (MLFLOW_TRACKING_URI)\n" in ended.stdout
    assert not (tmp_path / "results" / "mlflow.db").exists()
    with closing(sqlite3.connect(tmp_path / "own.db")) as store:
        names = store.execute("select e.name from runs join experiments e using (experiment_id)")
        assert names.fetchall() == [("mine",)]


def test_each_store_of_a_sweep_has_its_links(tmp_path):
    ended = run(tmp_path, "-m", "tracking.folder=first,second", "n=range(60,100,20)", "d=4")
    assert (ended.returncode, ended.stderr) == (0, "")
    for folder in ("first", "second"):
        database = tmp_path / folder / "mlflow.db"
        draws = rf"^python scripts/figures\.py .* --store {database.parent}$"
        assert re.search(draws, ended.stdout, re.M)
        assert ended.stdout.count(f"softres ui --folder {folder}\n") == 1
        experiment = client_of(tmp_path / folder).get_experiment_by_name("softres")
        views = [json.loads(text) for key, text in experiment.tags.items() if "softres-" in key]
        (view,) = views
        grouped = [key["groupByData"] for key in view["groupBy"]["groupByKeys"]]
        assert grouped == ["solver", "tracking.folder", "n"]
    assert ended.stdout.count("viewStateShareKey") == 2
    drawn = {path.parent.name for path in tmp_path.glob("results/sweeps/*/*/*.png")}
    assert drawn == {"store_1", "store_2"}
    assert not (tmp_path / "results" / "mlflow.db").exists()


# Loaded by Python itself at its start: makes the solve of one seed fail.
FAULT = """
import softres.harness.solving as job

real = job.solve

def solve(*arguments, **options):
    if options["seed"] == 1:
        raise RuntimeError("planted fault")
    return real(*arguments, **options)

job.solve = solve
"""


def test_a_job_that_fails_is_reported_at_once_and_the_sweep_goes_on(tmp_path):
    (tmp_path / "fault").mkdir()
    (tmp_path / "fault" / "sitecustomize.py").write_text(FAULT, encoding="utf-8")
    ended = run(
        tmp_path,
        *("-m", "seed=0,1,2", "n=60", "d=4"),
        stderr=subprocess.STDOUT,
        PYTHONPATH=os.pathsep.join([str(tmp_path / "fault"), str(ROOT)]),
    )
    assert ended.returncode == 1
    text = ended.stdout
    assert text.index("Traceback") < text.index("planted fault") < text.index("\njob 3 of 3")
    assert [rest.split(" ")[0] for *_, rest in rows_of_table(text)] == [
        "converged",
        "failed",
        "converged",
    ]
    assert "job 2 failed: RuntimeError: planted fault" in text
    assert "\n  alone and again: python run.py seed=1 n=60 d=4 force=true\n" in text
    runs = stored_runs(tmp_path)
    assert [stored.info.status for stored in runs] == ["FINISHED", "FAILED", "FINISHED"]
    failed = runs[1]
    assert failed.data.tags["error"] == "RuntimeError: planted fault"
    assert failed.data.params["seed"] == "1"
    files = [file.path for file in client(tmp_path).list_artifacts(failed.info.run_id)]
    assert "error.txt" in files


def test_a_job_that_needs_too_much_memory_fails_in_one_line_and_the_sweep_goes_on(tmp_path):
    ended = run(tmp_path, "-m", "n=600000,60", "d=20", "memory_limit=0.05")
    assert ended.returncode == 1
    said = r"softres: job 1 \(.*\): memory_limit=0\.05: A with n=600000 and d=20 alone .*\n"
    assert re.fullmatch(said, ended.stderr)
    (stored,) = stored_runs(tmp_path)
    assert stored.info.status == "FINISHED"


def test_a_job_that_grows_beyond_its_memory_is_stopped(tmp_path):
    ended = run(tmp_path, "-m", "n=60000", "d=40", "memory_limit=0.03")
    assert ended.returncode == 1
    assert re.search(
        r"^softres: job 1 .* memory_limit=0\.03: the job needs more", ended.stderr, re.M
    )
    assert [stored.info.status for stored in stored_runs(tmp_path)] in ([], ["FAILED"])


def test_a_job_that_two_commands_run_at_once_is_recorded_once(tmp_path):
    words = ("n=60000", "d=30", "solver=exact_newton")
    both = [
        subprocess.Popen(
            command(*words),
            cwd=tmp_path,
            env=environment(tmp_path),
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    said = [process.communicate(timeout=120)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert sorted("skipped, run" in text for text in said) == [False, True]
    (stored,) = stored_runs(tmp_path)
    assert stored.info.status == "FINISHED"


def test_a_full_disk_fails_jobs_and_nothing_else(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = ["mount", "-t", "tmpfs", "-o", "size=1500k", "tmpfs", str(disk)]
    if os.geteuid() != 0 or subprocess.call(mounted, stderr=subprocess.DEVNULL) != 0:
        pytest.skip("only root may mount a small disk to fill")
    try:
        where = f"tracking.folder={disk}"
        first = run(tmp_path, "-m", "seed=range(12)", "n=60", "d=4", where)
        kept = client_of(disk).search_runs(["1"])
        finished = {stored.info.run_id for stored in kept if stored.info.status == "FINISHED"}
        assert first.returncode in (1, 2), first.stderr
        assert len(finished) < 12
        subprocess.run(["mount", "-o", "remount,size=100m", str(disk)], check=True)
        second = run(tmp_path, "-m", "seed=range(12)", "n=60", "d=4", where)
        assert second.returncode == 0, second.stderr
        runs = client_of(disk).search_runs(["1"])
        done = [stored for stored in runs if stored.info.status == "FINISHED"]
        assert len({stored.data.tags["key"] for stored in done}) == len(done) == 12
        assert finished <= {stored.info.run_id for stored in done}
        assert "RUNNING" not in {stored.info.status for stored in runs}
        assert not list(disk.glob("spool/*/run.json"))
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


def statuses_in(database):
    """The statuses of a store's runs, oldest first."""
    if not database.exists():
        return []
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as store:
        try:
            rows = store.execute("SELECT status FROM runs ORDER BY start_time").fetchall()
        except sqlite3.OperationalError:  # its tables are being made
            return []
    return [status for (status,) in rows]


@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGTERM, 143), pytest.param(signal.SIGINT, 130, marks=pytest.mark.slow)],
)
def test_a_run_that_is_told_to_end_is_not_left_open(tmp_path, number, code):
    hard = ("n=400", "d=20", "data.condition=1e5", "weights=none", "eps=1e-14")
    process = subprocess.Popen(
        command(*hard, "solver=gradient_descent", "max_steps=1000000000"),
        cwd=tmp_path,
        env=environment(tmp_path),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        # A shell that starts the tests in the background has them ignore SIGINT.
        preexec_fn=lambda: signal.signal(number, signal.SIG_DFL),  # noqa: PLW1509
    )
    try:
        database = tmp_path / "results" / "mlflow.db"
        deadline = time.monotonic() + 60
        while statuses_in(database) != ["RUNNING"]:
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.1)
        process.send_signal(number)
        assert process.wait(timeout=30) == code
    finally:
        process.kill()
        process.wait()
    (stored,) = stored_runs(tmp_path)
    assert stored.info.status == "KILLED"
    assert stored.data.tags["error"]
    assert stored.info.end_time >= stored.info.start_time


def test_a_sweep_that_is_interrupted_says_how_far_it_came(tmp_path):
    hard = ("n=400", "d=20", "data.condition=1e5", "weights=none", "eps=1e-14")
    process = subprocess.Popen(
        command("-m", *hard, "solver=gradient_descent", "max_steps=1,1000000000"),
        cwd=tmp_path,
        env=environment(tmp_path),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509
    )
    try:
        deadline = time.monotonic() + 60
        while "RUNNING" not in statuses_in(tmp_path / "results" / "mlflow.db")[1:]:
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=30)[1]
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 130
    expected = "softres: interrupted; 1 of 2 jobs are done; the same command goes on from here\n"
    assert said == expected
