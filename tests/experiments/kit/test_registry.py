"""What each claim can be tested on, and that anything else is refused in one line."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest
import yaml
from hydra import compose, initialize_config_dir
from logged import CONF, context
from omegaconf import OmegaConf

from experiments.kit.registry import claim, claim_ids
from softres.common.errors import InputError
from softres.config.choices import register
from softres.config.claims import DEFAULTS, check_claim, probe_for
from softres.data.registry import DATA
from softres.harness.keys.digests import measurement_files

SOLVES = {"iterations"}
REAL = [name for name in DATA if name != "synthetic"]
#: Backends that no measurement uses, with what is named.
OTHERS = {
    "torch": ({"name": "torch"}, "backend=torch"),
    "cuda": ({"name": "torch", "device": "cuda"}, "backend=torch"),
    "dask": ({"name": "dask"}, "backend=dask"),
    "float32": ({"dtype": "float32"}, r"backend\.dtype=float32"),
}


#: For each option that a measurement may do without, a value that is not its default.
CHANGES = {
    "solver": {"solver": {"name": "gradient_descent"}},
    "problem": {"problem": {"name": "softmax"}},
    "problem.beta": {"problem": {"name": "softres", "beta": 0.5}},
    "problem.branch": {"problem": {"branch": "tanh"}},
    "start.kind": {"start": {"kind": "random", "distance": 1.0}},
    "start.distance": {"start": {"kind": "default", "distance": 2.0}},
    "eps": {"eps": 1e-3},
    "max_steps": {"max_steps": 5},
    "time_limit": {"time_limit": 1.0},
}


@cache
def composed(name, *overrides, profile="quick/"):
    """The configuration of a claim's sweep, as plain values."""
    register()
    overrides = [f"experiment={profile}{name}", *overrides]
    with initialize_config_dir(version_base="1.3", config_dir=CONF):
        return OmegaConf.to_container(compose("config", overrides=overrides))


def swept(name, group):
    """The choices of a group that a claim's full sweep goes through, as overrides."""
    text = (Path(CONF) / "experiment" / f"{name}.yaml").read_text(encoding="utf-8")
    values = yaml.safe_load(text)["hydra"]["sweeper"]["params"].get(group)
    return [f"{group}={value}" for value in values.split(",")] if values else []


def check_refused(tree, message):
    with pytest.raises(InputError, match=message) as caught:
        check_claim(tree)
    assert "\n" not in str(caught.value)


@pytest.fixture(params=claim_ids())
def name(request):
    return request.param


def test_a_claim_measures_unless_its_jobs_are_solves(name):
    assert (claim(name).measure is None) == (name in SOLVES)


def test_a_claim_takes_what_its_own_sweep_is_made_of(name):
    check_claim(composed(name))
    check_claim(composed(name, profile=""))
    for group in ("problem", "solver", "data"):
        for override in swept(name, group):
            check_claim(composed(name, override, profile=""))


@pytest.mark.parametrize("R", [None, 4.0])
def test_real_data_are_taken_or_refused(name, R):
    for data in REAL:
        tree = composed(name) | {"data": {"name": data}, "R": R}
        if name in SOLVES or claim(name).any_data:
            check_claim(tree)
        else:
            check_refused(tree, rf"^experiment={name} with data={data}: .* data=synthetic only$")


@pytest.mark.parametrize("other", OTHERS)
def test_another_backend_is_taken_by_solves_and_never_ignored(name, other):
    changes, named = OTHERS[other]
    tree = composed(name)
    tree = tree | {"backend": tree["backend"] | changes}
    if name in SOLVES:
        check_claim(tree)
    else:
        check_refused(tree, rf"^experiment={name} with {named}: .* backend=numpy in float64 only$")


@pytest.mark.parametrize("option", DEFAULTS)
def test_an_option_of_a_solve_is_taken_where_it_changes_what_is_measured(name, option):
    tree = composed(name) | CHANGES[option]
    if name in SOLVES or option in claim(name).uses:
        check_claim(tree)
    else:
        named = re.escape(option)
        message = rf"^experiment={name} with {named}=\S+: it takes {named}=\S+ only; "
        check_refused(tree, message)


def test_the_defaults_are_those_of_the_configuration():
    register()
    with initialize_config_dir(version_base="1.3", config_dir=CONF):
        found = [OmegaConf.to_container(compose("config", overrides=[f"problem={name}"]))
                 for name in ("softres", "resnet")]  # fmt: skip
    for option, default in DEFAULTS.items():
        group, _, key = option.partition(".")
        tree = found[option == "problem.branch"]
        value = tree[group][key or "name"] if isinstance(tree[group], dict) else tree[group]
        assert value == default, option
    assert DEFAULTS.keys() == CHANGES.keys()


#: They share a class that others make from the run's problem, and bring problems of their own.
OWN_PROBLEMS = ("theorems",)


def test_what_a_measurement_is_said_to_use_is_what_its_source_asks_for(name):
    tested = claim(name)
    if tested.measure is None:
        return
    folder = Path(CONF).parent / "experiments"
    files = [path for path in measurement_files(tested.measure) if folder in path.parents]
    text = "\n".join(path.read_text(encoding="utf-8") for path in files)
    asked = {key for key in ("problem", "eps", "solver", "max_steps", "time_limit")
             if re.search(rf"\b(settings|options)\.{key}\b", text)}  # fmt: skip
    prepared = "context.prepared" in text and name not in OWN_PROBLEMS
    uses = {option for option in claim(name).uses if option in {*asked, "problem", "eps"}}
    assert uses == asked | ({"problem"} if prepared else set())


def test_what_is_not_of_a_claim_takes_everything():
    check_claim(composed("convergence") | {"data": {"name": "digits"}, "backend": {}})
    check_claim({"data": {}, "backend": {}})


def test_a_claim_that_does_not_exist_is_named():
    check_refused({"experiment": {"id": "typo"}}, r"^experiment\.id=typo: allowed are gradient, ")


def test_checked_settings_do_not_get_past_it_either():
    assert probe_for(context("experiment=quick/psd").settings) is not None
    with pytest.raises(InputError, match="experiment=psd with backend=torch"):
        probe_for(context("experiment=quick/psd", "backend=torch").settings)
