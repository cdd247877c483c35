"""Estimates of time and memory, and the plan that they are shown in."""

import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir

from softres.common.errors import InputError
from softres.config.choices import register
from softres.config.settings import settings
from softres.harness.keys.identity import job_key
from softres.harness.resources.estimates import check_memory, estimate, needed_gib
from softres.harness.terminal.dry_run import show_plan
from softres.tracking import StoredRun, open_store

CONF = str(Path(__file__).parents[3] / "conf")
RUN = str(Path(__file__).parents[3] / "run.py")


@pytest.fixture(scope="module")
def checked():
    register()

    @cache
    def compose_and_check(*overrides):
        with initialize_config_dir(version_base="1.3", config_dir=CONF):
            return settings(compose("config", overrides=list(overrides)))

    return compose_and_check


def earlier(n, d, seconds, gib, **params):
    kind = {"solver": "exact_newton", "backend": "numpy", "backend.device": "cpu"}
    kind |= {"data": "synthetic", "n": str(n), "d": str(d)}
    return StoredRun(
        "id", "name", {"job_seconds": seconds, "peak_memory_gib": gib}, {}, kind | params
    )


def test_the_runs_of_the_nearest_size_tell(checked):
    runs = [earlier(1000, 20, s, 0.5) for s in (3.0, 4.0, 9.0)] + [earlier(10, 2, 0.1, 0.1)]
    found = estimate(checked(), runs)
    assert (found.seconds, found.gib, found.source) == (4.0, 0.5, "3 earlier runs")


def test_time_grows_with_n_d_squared_and_memory_with_n_d(checked):
    found = estimate(checked("n=2000", "d=40"), [earlier(1000, 20, 2.0, 0.5)])
    assert (found.seconds, found.gib) == (16.0, 2.0)


@pytest.mark.parametrize(
    "other", [{"solver": "scipy_lbfgs"}, {"data": "digits"}, {"experiment.id": "psd"}]
)
def test_runs_of_another_kind_do_not_tell(checked, other):
    assert estimate(checked(), [earlier(1000, 20, 2.0, 0.5, **other)]).source.startswith("operat")


def test_without_runs_larger_jobs_take_more(checked):
    small, large = (estimate(checked(f"n={n}", "d=50"), []) for n in (10_000, 100_000))
    assert large.seconds > 5 * small.seconds
    assert large.gib > 5 * small.gib
    assert large.gib >= 8 * 100_000 * 50 / 2**30


def test_a_job_whose_data_alone_is_too_large_is_refused_before_it_starts(checked):
    with pytest.raises(InputError, match=r"memory_limit=0\.01: A with n=100000 and d=50 alone"):
        check_memory(checked("n=100000", "d=50", "memory_limit=0.01"))
    check_memory(checked("n=1000", "memory_limit=0.01"))
    assert needed_gib(checked("n=1000")) < 0.01


def test_the_estimate_of_memory_bounds_what_a_job_takes(checked, tmp_path):
    where = ("n=200000", "d=20", "weights.value=1", f"tracking.folder={tmp_path / 'results'}")
    job = checked(*where)
    # In a process of its own: one that has memory to spare does not grow.
    variables = os.environ | {
        "SOFTRES_CACHE": str(tmp_path / "cache"),
        "OPENBLAS_NUM_THREADS": "1",
    }
    subprocess.run([sys.executable, RUN, *where], cwd=tmp_path, env=variables, check=True)
    (run,) = open_store(job.tracking).finished_runs()
    assert run.tags["key"] == job_key(job)
    taken = run.metrics["peak_memory_gib"]
    assert 8 * 200_000 * 20 / 2**30 < taken < 3 * needed_gib(job)
    assert needed_gib(job) < 3 * taken
    assert run.metrics["job_seconds"] > run.metrics["solve_seconds"]


def test_a_plan_without_a_store_makes_none(checked, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "160")
    job = checked("n=50", "d=4", f"tracking.folder={tmp_path / 'none'}")
    show_plan([(job, ("n=50",), None)])
    shown = capsys.readouterr().out
    assert "exact_newton n=50 d=4 seed=0" in shown
    assert "1 of 1 jobs would run" in shown
    assert not (tmp_path / "none").exists()


def test_layers_take_the_gram_matrices_and_the_memory_of_several(checked):
    sized = ("n=100000", "d=100")
    one, four = (checked(*sized, "problem=multilayer", f"problem.layers={L}") for L in (1, 4))
    single = checked(*sized)
    assert estimate(one, []).seconds == estimate(single, []).seconds
    assert needed_gib(one) == needed_gib(single)
    # A Gram matrix for every two layers: ten of them, and a factor of four times the columns.
    assert 9 < estimate(four, []).seconds / estimate(one, []).seconds < 20
    assert needed_gib(four) > needed_gib(one) + 8 * 60 * 100000 / 2**30
    check_memory(checked(*sized, "problem=multilayer", "problem.layers=8", "memory_limit=0.1"))


def test_runs_of_another_depth_do_not_tell(checked):
    runs = [earlier(1000, 20, 2.0, 0.5, **{"problem.layers": "2"})]
    deeper = checked("problem=multilayer", "problem.layers=4")
    assert estimate(deeper, runs).source.startswith("operat")
    assert estimate(checked("problem=multilayer", "problem.layers=2"), runs).seconds == 2.0
    assert estimate(checked(), runs).source.startswith("operat")
