"""A dry run says what the run does: both ask the same function about the same jobs."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from omegaconf import open_dict

from softres.config.choices import register
from softres.config.jobs import sweep_jobs
from softres.config.settings import settings
from softres.harness.keys.identity import job_key
from softres.harness.plan import plan
from softres.harness.terminal.dry_run import show_plan
from softres.tracking import StoredRun

ROOT = Path(__file__).parents[2]
CONF = str(ROOT / "conf")


@pytest.fixture(scope="module")
def checked():
    register()

    @cache
    def compose_and_check(*overrides):
        with initialize_config_dir(version_base="1.3", config_dir=CONF):
            return settings(compose("config", overrides=["n=50", "d=4", *overrides]))

    return compose_and_check


def ended(status, **tags):
    return StoredRun("0123456789", "name", {}, {"status": status, **tags}, {})


CONVERGED = ended("converged")
SHORT = ended("step limit", max_steps="3")


@pytest.mark.parametrize(
    ("overrides", "finished", "runs", "words"),
    [
        ((), [], True, "run"),
        ((), [CONVERGED], False, "skip, run 01234567"),
        (("max_steps=9",), [SHORT], True, "run to a larger limit"),
        (("max_steps=9",), [SHORT, CONVERGED], False, "skip, run 01234567"),
        (("max_steps=2",), [SHORT], False, "skip, run 01234567"),
        (("force=true",), [CONVERGED], True, "run again"),
        (("force=true",), [], True, "run"),
    ],
)
def test_a_job_is_run_unless_a_finished_run_is_enough(checked, overrides, finished, runs, words):
    found = plan(checked(*overrides), finished)
    assert (found.runs, found.words) == (runs, words)
    assert (found.finished is None) == runs


@pytest.mark.parametrize(
    ("first", "second", "runs"),
    [
        ((), (), False),
        (("max_steps=9",), ("max_steps=9",), False),
        (("max_steps=9",), ("max_steps=5",), False),
        (("max_steps=5",), ("max_steps=9",), True),
        (("time_limit=5",), ("time_limit=3",), False),
        (("time_limit=3",), ("time_limit=5",), True),
        (("time_limit=3",), (), True),
        ((), ("time_limit=3",), False),
        (("max_steps=9", "time_limit=3"), ("max_steps=5",), True),
        (("force=true",), (), False),
        ((), ("force=true",), True),
    ],
)
def test_a_job_that_an_earlier_one_of_the_command_covers_is_skipped(checked, first, second, runs):
    earlier, job = checked(*first), checked(*second)
    assert job_key(earlier) == job_key(job)
    assert plan(job, [], [(0, earlier)]).runs == runs


def planned(jobs, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    show_plan([(job, (), None) for job in jobs])
    shown = capsys.readouterr().out
    rows = re.findall(
        r"^ +\d+  .*?seed=\d+ +(run again|run|skip[^ ]* ?\S* ?\S* ?\S* ?\d*)", shown, re.M
    )
    return [row.strip() for row in rows], re.search(r"(\d+) of \d+ jobs would run", shown)[1]


def test_equal_jobs_of_a_command_count_once(checked, capsys, monkeypatch, tmp_path):
    folder = f"tracking.folder={tmp_path / 'none'}"
    jobs = [checked(folder, f"seed={seed}") for seed in (1, 1, 2)]
    rows, count = planned(jobs, capsys, monkeypatch)
    assert (rows[0], rows[1], rows[2]) == ("run", "skip, same as job 1", "run")
    assert count == "2"
    elsewhere = checked(f"tracking.folder={tmp_path / 'other'}", "seed=1")
    assert planned([jobs[0], elsewhere], capsys, monkeypatch)[1] == "2"
    forced = [replace(job, force=True) for job in jobs]
    assert planned(forced, capsys, monkeypatch)[1] == "3"


def test_without_records_every_job_runs(checked, capsys, monkeypatch):
    assert planned([checked("tracking=none")] * 2, capsys, monkeypatch)[1] == "2"


@pytest.mark.parametrize(
    "overrides",
    [
        ("R=1,2.0,4e0", "data.condition=10,1e2"),
        ("experiment=quick/gradient", "seed=0,1"),
        ("weights.value=1,1e-2", "start.kind=random", "start.distance=1,2"),
        ("solver=exact_newton,approx_newton", "eps=1e-6,0.1"),
        ("solver=approx_newton", "solver.eps0=0.25,1e-1"),
        ("problem.beta=1,null", "data.density=1,0.5"),
        ("n=50,60", "d=range(2, 4)", "weights=theorem,none"),
        ("n=20,30", "d=${n}"),
        ("n=20,30", 'd="${n}"'),
        ("n=40,50", "d=4", "seed=${n}"),
    ],
)
def test_a_job_has_the_key_before_its_sweep_that_it_has_in_it(overrides):
    register()
    with initialize_config_dir(version_base="1.3", config_dir=CONF):
        choices = [text for text in overrides if text.startswith(("+", "solver="))]
        first = [text.split(",")[0] for text in choices]
        config = compose("config", overrides=first, return_hydra_config=True)
        with open_dict(config):
            config.hydra.overrides.task = list(overrides)
        jobs = sweep_jobs(config)
        loader = GlobalHydra.instance().config_loader()
        for job in jobs:
            run = loader.load_sweep_config(config, list(job.overrides))
            with open_dict(run):
                del run["hydra"]
            checked = settings(job.config)
            assert job_key(checked) == job_key(settings(run))
            if "d=${n}" in overrides:  # its own n, not that of the sweep's configuration
                assert checked.d == checked.n
    assert len(jobs) > 1


@pytest.mark.slow
def test_a_dry_run_agrees_with_the_run_before_and_after_it(tmp_path):
    sweep = ["-m", "experiment=quick/gradient", "n=6", "d=2", "R=2", "seed=1,1,2"]
    sweep += ["experiment.cases=1", "experiment.exact=0"]

    def command(*more):
        environment = {"COLUMNS": "150", "PYTHONPATH": str(ROOT), "PATH": "/usr/bin"}
        line = [sys.executable, str(ROOT / "run.py"), *sweep, *more]
        done = subprocess.run(
            line, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    assert "2 of 3 jobs would run" in command("sweep.dry_run=true")
    done = command()
    # Each is said, and stands in the table.
    assert (done.count(" measured"), done.count("skipped, run ")) == (4, 2)
    assert "0 of 3 jobs would run" in command("sweep.dry_run=true")
