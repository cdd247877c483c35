"""A configuration from a store is checked like one from the command line, and calls nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hydra import compose, initialize_config_dir

from softres.common.errors import InputError
from softres.config.choices import register
from softres.config.kept.stored import stored_settings
from softres.config.settings import settings
from softres.harness.keys.identity import job_key
from softres.harness.records import as_yaml

CONF = str(Path(__file__).parents[2] / "conf")


@pytest.fixture(scope="module")
def checked():
    """Return a function that gives the settings of a command's overrides."""
    register()

    def compose_and_check(*overrides):
        with initialize_config_dir(version_base="1.3", config_dir=CONF):
            return settings(compose("config", overrides=list(overrides)))

    return compose_and_check


@pytest.mark.parametrize(
    "overrides",
    [
        (),
        ("solver=approx_newton", "solver.eps0=0.1", "n=70", "weights=theorem"),
        ("problem=resnet", "problem.branch=tanh", "data=digits", "time_limit=3"),
        ("experiment=psd",),
    ],
)
def test_what_a_run_kept_gives_the_same_job(checked, overrides):
    made = checked(*overrides, "force=true", "memory_limit=4")
    again = stored_settings(as_yaml(made))
    assert job_key(again) == job_key(made)
    assert (again.max_steps, again.time_limit) == (made.max_steps, made.time_limit)
    assert not again.tracking.enabled


def changed(checked, **changes):
    tree = yaml.safe_load(as_yaml(checked()))
    for key, value in changes.items():
        group, _, option = key.partition("__")
        if option:
            tree[group][option] = value
        else:
            tree[group] = value
    return yaml.safe_dump(tree)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"n": -1}, "n=-1: allowed"),
        ({"n": "many"}, "n=many: must be a whole number"),
        ({"typo": 1}, "typo: no such key"),
        ({"solver__typo": 1}, "typo: no such key"),
        ({"solver__name": "os.system"}, "solver=os.system: allowed are"),
        ({"solver___target_": "os.system"}, "solver._target_: no such key"),
        ({"_target_": "os.system"}, "_target_: no such key"),
        ({"data__path": "${oc.env:HOME}"}, "data.path: a kept value refers to nothing else"),
        ({"problem__beta": "${oc.env:HOME}"}, "problem.beta: a kept value refers to nothing"),
        ({"solver": None}, "solver"),
        ({"backend__dtype": "half"}, "backend.dtype=half: allowed are"),
    ],
)
def test_a_value_that_is_not_allowed_is_named_in_one_line(checked, changes, message):
    with pytest.raises(InputError) as caught:
        stored_settings(changed(checked, **changes))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "text", ["", "[1, 2]", "n: [", "!!python/object/apply:os.system ['true']", "1: 2"]
)
def test_what_is_no_configuration_is_refused(text):
    with pytest.raises(InputError, match=r"config\.yaml"):
        stored_settings(text)


def test_a_group_that_is_missing_is_named(checked):
    tree = yaml.safe_load(as_yaml(checked()))
    del tree["solver"]
    with pytest.raises(InputError, match="solver"):
        stored_settings(yaml.safe_dump(tree))
