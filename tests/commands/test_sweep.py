"""A sweep from its first line to its last, what it left, and what the next one makes of it."""

from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from commanding import client, client_of, rows_of_table, run, script, stored_runs

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
