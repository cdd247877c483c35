"""What each claim can be tested on, and that anything else is refused in one line."""

from __future__ import annotations

from functools import cache

import pytest
from hydra import compose, initialize_config_dir
from logged import CONF, context
from omegaconf import OmegaConf

from experiments.registry import ANY_DATA, IDS, check_claim, claim, probe_for
from softres.config import register
from softres.data.registry import DATA
from softres.errors import InputError

SOLVES = {"iterations"}
REAL = [name for name in DATA if name != "synthetic"]
#: Backends that no measurement uses, with what is named.
OTHERS = {
    "torch": ({"name": "torch"}, "backend=torch"),
    "cuda": ({"name": "torch", "device": "cuda"}, "backend=torch"),
    "dask": ({"name": "dask"}, "backend=dask"),
    "float32": ({"dtype": "float32"}, r"backend\.dtype=float32"),
}


@cache
def composed(name):
    """The configuration of a claim's quick sweep, as plain values."""
    register()
    with initialize_config_dir(version_base="1.3", config_dir=CONF):
        return OmegaConf.to_container(compose("config", overrides=[f"+experiment=quick/{name}"]))


def check_refused(tree, message):
    with pytest.raises(InputError, match=message) as caught:
        check_claim(tree)
    assert "\n" not in str(caught.value)


@pytest.fixture(params=IDS)
def name(request):
    return request.param


def test_a_claim_measures_unless_its_jobs_are_solves(name):
    assert (claim(name).measure is None) == (name in SOLVES)


def test_a_claim_takes_what_its_own_sweep_is_made_of(name):
    check_claim(composed(name))


@pytest.mark.parametrize("R", [None, 4.0])
def test_real_data_are_taken_or_refused(name, R):
    for data in REAL:
        tree = composed(name) | {"data": {"name": data}, "R": R}
        if name in SOLVES or name in ANY_DATA:
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


def test_what_is_not_of_a_claim_takes_everything():
    check_claim(composed("convergence") | {"data": {"name": "digits"}, "backend": {}})
    check_claim({"data": {}, "backend": {}})


def test_a_claim_that_does_not_exist_is_named():
    check_refused({"experiment": {"id": "typo"}}, r"^experiment\.id=typo: allowed are gradient, ")


def test_checked_settings_do_not_get_past_it_either():
    assert probe_for(context("+experiment=quick/psd").settings) is not None
    with pytest.raises(InputError, match="experiment=psd with backend=torch"):
        probe_for(context("+experiment=quick/psd", "backend=torch").settings)
