"""A job's values set on a shared composition are those that Hydra would compose."""

from __future__ import annotations

import copy
from functools import cache
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from softres.config.choices import register
from softres.config.jobs import sweep_jobs
from softres.config.sweeping.composition import Composition

CONF = str(Path(__file__).parents[2] / "conf")
CHOICES = (
    (),
    ("solver=approx_newton", "data=digits"),
    ("experiment=quick/convergence",),
    ("experiment=quick/gradient", "n=${d}"),
)
KEYS = (
    "n",
    "d",
    "R",
    "seed",
    "eps",
    "force",
    "time_limit",
    "plugins",
    "sweep.figures",
    "sweep.objective",
    "start",
    "start.distance",
    "solver.eps0",
    "solver.none",
    "problem.beta",
    "weights.value",
    "data.condition",
    "backend.threads",
    "tracking.sweep",
    "experiment.none",
    "none",
)
VALUES = (
    "1",
    "1.0",
    "-3",
    "1e-3",
    "1e4",
    "true",
    "null",
    "nan",
    "text",
    "'7'",
    '"${n}"',
    "${n}",
    "${seed}",
    "${none}",
    "'\\${n}'",
    "???",
    "[1,2]",
    "{a:1}",
    "''",
)


@cache
def composed(choices):
    register()
    with initialize_config_dir(version_base="1.3", config_dir=CONF):
        return compose("config", overrides=list(choices))


def outcome(make):
    try:
        return repr(make())
    except (HydraException, OmegaConfBaseException) as error:
        return type(error).__name__, str(error)


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from(CHOICES),
    st.lists(
        st.tuples(
            st.sampled_from(("", "", "", "+", "++")), st.sampled_from(KEYS), st.sampled_from(VALUES)
        ),
        max_size=4,
    ),
)
def test_values_are_those_that_hydra_sets(choices, changes):
    from hydra._internal.config_loader_impl import ConfigLoaderImpl

    config = composed(choices)
    parser = OverridesParser.create()
    values = parser.parse_overrides([f"{sign}{key}={value}" for sign, key, value in changes])

    def with_hydra():
        job = copy.deepcopy(config)
        ConfigLoaderImpl._apply_overrides_to_config(values, job)
        return OmegaConf.to_container(job, resolve=True)

    made = Composition(config)
    assert outcome(lambda: made.plain(values)) == outcome(with_hydra)
    # What one job sets is no other's.
    assert outcome(made.plain) == outcome(lambda: OmegaConf.to_container(config, resolve=True))


@pytest.mark.parametrize(
    "overrides",
    [
        ("solver=exact_newton,approx_newton", "n=20,100", "d=${n}", "weights.value=1,1e-3"),
        ("experiment=quick/convergence", "seed=range(2)", "+solver.tolerance=null"),
        ("problem=softres,resnet", "problem.branch=tanh", "start.kind=random,minimiser"),
    ],
)
def test_a_job_is_what_hydra_composes_of_its_overrides(overrides):
    register()
    with initialize_config_dir(version_base="1.3", config_dir=CONF):
        config = compose("config", return_hydra_config=True)
        OmegaConf.update(config, "hydra.overrides.task", list(overrides))
        jobs = outcome(lambda: [job.config for job in sweep_jobs(config)])
        loader = GlobalHydra.instance().config_loader()

        def with_hydra():
            full = [
                loader.load_sweep_config(config, list(job.overrides)) for job in sweep_jobs(config)
            ]
            for one in full:
                OmegaConf.set_struct(one, False)
                del one["hydra"]
            return [OmegaConf.to_container(one, resolve=True) for one in full]

        assert jobs == outcome(with_hydra)
