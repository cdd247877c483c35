"""What makes two runs the same, and what a run is called."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hydra import compose, initialize_config_dir

from softres.config.choices import register
from softres.config.settings import settings
from softres.harness.keys.identity import config_hash, job_key, run_name

CONF = str(Path(__file__).parents[3] / "conf")


@pytest.fixture(scope="module")
def checked():
    """Return a function that gives the settings of a command's overrides."""
    register()

    @cache
    def compose_and_check(*overrides):
        with initialize_config_dir(version_base="1.3", config_dir=CONF):
            return settings(compose("config", overrides=list(overrides)))

    return compose_and_check


def test_the_hash_does_not_depend_on_the_order_of_keys(checked):
    base = checked()

    def turned(tree):
        return {
            key: turned(value) if isinstance(value, dict) else value
            for key, value in reversed(tree.items())
        }

    other = replace(base, tree=turned(base.tree))
    assert list(other.tree) != list(base.tree)
    assert config_hash(other) == config_hash(base)


def test_the_same_command_has_the_same_hash_again(checked):
    fresh = settings_without_cache("n=200", "solver=approx_newton")
    assert config_hash(checked("solver=approx_newton", "n=200")) == config_hash(fresh)


def settings_without_cache(*overrides):
    with initialize_config_dir(version_base="1.3", config_dir=CONF):
        return settings(compose("config", overrides=list(overrides)))


@pytest.mark.parametrize(
    "override",
    ["tracking=none", "tracking.experiment=other", "force=true", "max_steps=7", "time_limit=2.5"],
)
def test_what_does_not_change_a_result_does_not_change_the_key(checked, override):
    assert job_key(checked(override)) == job_key(checked())


@pytest.mark.parametrize(
    "override",
    [
        "eps=1e-9",
        "seed=1",
        "n=999",
        "d=19",
        "R=5",
        "problem=softmax",
        "problem.beta=0.5",
        "data.noise=0.4",
        "weights.value=0.02",
        "weights=theorem",
        "start.kind=random",
        "backend=torch",
        "backend.dtype=float32",
        "solver=gradient_descent",
    ],
)
def test_what_changes_a_result_changes_the_key(checked, override):
    assert config_hash(checked(override)) != config_hash(checked())
    assert job_key(checked(override)) != job_key(checked())


def test_an_option_of_the_solver_changes_the_key(checked):
    keys = {
        job_key(checked("solver=approx_newton", override))
        for override in ("solver.eps0=0.08", "solver.eps0=0.1", "solver.rows=50")
    }
    assert len(keys) == 3


def test_the_key_is_one_that_a_store_can_look_for(checked):
    assert job_key(checked()).replace("-", "").isalnum()


def test_a_changed_file_changes_the_hash(tmp_path):
    path = tmp_path / "mine.npz"
    A, b = np.random.default_rng(0).standard_normal((9, 3)), np.full(9, 1 / 9)
    hashes = set()
    for scale in (1, 2):
        np.savez(path, A=scale * A, b=b)
        hashes.add(config_hash(settings_without_cache("data=file", f"data.path={path}")))
    assert len(hashes) == 2


@pytest.mark.parametrize("written", [4, 4.0, "4"])
def test_a_number_is_one_however_it_is_written(checked, written):
    base = checked("R=4")
    tree = base.tree | {"R": float(written), "data": base.tree["data"] | {"condition": 10}}
    assert config_hash(replace(base, tree=tree)) == config_hash(base)
    assert config_hash(replace(base, tree=tree | {"R": True})) != config_hash(base)


@pytest.mark.parametrize(
    ("overrides", "name"),
    [
        ((), "exact_newton n=1000 d=20 seed=0"),
        (
            ("solver=approx_newton", "n=10000", "d=50", "seed=3"),
            "approx_newton n=10000 d=50 seed=3",
        ),
        (("problem=cosh",), "exact_newton cosh n=1000 d=20 seed=0"),
        (
            ("solver=softmax_regression", "problem=softmax"),
            "softmax_regression n=1000 d=20 seed=0",
        ),
        (
            ("solver=softmax_regression", "problem=resnet"),
            "softmax_regression (solves softmax) n=1000 d=20 seed=0",
        ),
        (("solver=resnet_regression",), "resnet_regression (solves resnet) n=1000 d=20 seed=0"),
        (("data=digits",), "exact_newton digits n=1797 d=64 seed=0"),
        (("backend=torch",), "exact_newton n=1000 d=20 torch seed=0"),
    ],
)
def test_a_run_has_a_name_that_a_person_can_read(checked, overrides, name):
    assert run_name(checked(*overrides)) == name


def test_jobs_of_a_claim_that_differ_in_its_own_options_have_different_names(checked):
    names = [
        run_name(checked("experiment=quick/psd"), ("experiment=quick/psd", "R=4", override))
        for override in ("experiment.beta=0.1", "experiment.beta=10")
    ]
    assert names[0].endswith(" seed=0 R=4 experiment.beta=0.1")
    assert names[1].endswith(" seed=0 R=4 experiment.beta=10")
