"""The full profile contains the quick one: what quick finds, full has tried too."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from hydra import compose, initialize_config_dir
from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import OmegaConf
from probing import probed

from experiments.kit.registry import claim_ids
from softres.config.choices import register

CONF = Path(__file__).parents[2] / "conf"
#: Options that say how many are drawn, one after the other: fewer of them are the first ones.
FIRST = {
    "gradient": ("cases", "exact"),
    "hessian": ("cases", "exact"),
    "low_rank_plus_diagonal": ("cases",),
    "multi_layer_closed_forms": ("cases",),
    "multi_layer_method": ("draws", "points"),
    "psd": ("instances",),
    "sandwich": ("instances",),
    "basic_bounds": ("instances",),
    "basic_lipschitz": ("instances",),
    "hessian_lipschitz": ("instances",),
    "sparsifier": ("repetitions", "timing.repetitions"),
    "success_probability": ("sparsifiers", "runs.theorem", "runs.own"),
    "cost_per_iteration": ("repetitions",),
    "induction": ("steps",),
    "literal": ("draws.sandwich", "runs.stated"),
    "landscape": ("starts",),
    "basin": ("random",),
    "large_data": ("time_limit",),  # a solve that is given less time is the beginning of the same
}


def jobs(name):
    """Return the flat settings of a sweep's jobs: a chosen group stands for all of its keys."""
    register()
    with initialize_config_dir(version_base="1.3", config_dir=str(CONF)):
        config = compose("config", [f"experiment={name}"], return_hydra_config=True)
    swept = OmegaConf.to_container(config.hydra.sweeper.params)
    shared = {
        key: value
        for key, value in OmegaConf.to_container(config).items()
        if key not in ("tracking", "hydra")
    }
    shared = flat({key: value for key, value in shared.items() if key not in swept})
    shared.pop("experiment.profile")
    parser = OverridesParser.create()
    parsed = parser.parse_overrides([f"{key}={value}" for key, value in swept.items()])
    found = []
    for (chosen,) in BasicSweeper.split_arguments(parsed, 1):
        values = parser.parse_overrides(chosen)
        found.append(shared | {one.key_or_group: one.value() for one in values})
    return found


def flat(tree, before=""):
    """Return a tree's values by dotted keys."""
    leaves = {}
    for key, value in tree.items():
        name = f"{before}{key}"
        leaves |= flat(value, f"{name}.") if isinstance(value, dict) else {name: value}
    return leaves


def contains(full, quick, first):
    """Whether settings have all that others have: equal values, or lists with all of theirs."""

    def within(key, value):
        if isinstance(value, list):
            return all(one in full[key] for one in value)
        return value <= full[key] if key in first else value == full[key]

    return quick.keys() <= full.keys() and all(within(key, quick[key]) for key in quick)


@pytest.mark.parametrize("name", claim_ids())
def test_every_quick_job_is_within_a_full_one(name):
    full, first = jobs(name), [f"experiment.{key}" for key in FIRST.get(name, ())]
    missing = [q for q in jobs(f"quick/{name}") if not any(contains(f, q, first) for f in full)]
    assert not missing


def test_containment_is_noticed_where_there_is_none():
    full = {"n": 5, "cases": 3, "levels": [1, 2, 3]}
    assert contains(full, {"n": 5, "cases": 2, "levels": [3]}, ["cases"])
    assert not contains(full, {"n": 5, "cases": 2}, [])
    assert not contains(full, {"n": 5, "cases": 4}, ["cases"])
    assert not contains(full, {"n": 4}, [])
    assert not contains(full, {"d": 5}, [])
    assert not contains(full, {"levels": [4]}, [])


SMALL = ("n=6", "d=2", "R=2")
SEARCH = ("experiment.starts=4", "experiment.iterations=3")
PREFIX = [
    ("gradient", "cases", ("experiment.exact=1",)),
    ("hessian", "cases", ("experiment.exact=0",)),
    ("low_rank_plus_diagonal", "cases", ()),
    ("psd", "instances", SEARCH),
    ("basic_bounds", "instances", SEARCH),
    ("basic_lipschitz", "instances", SEARCH),
    ("hessian_lipschitz", "instances", SEARCH),
]


@pytest.mark.parametrize(("name", "option", "more"), PREFIX)
def test_fewer_are_the_first_ones(tmp_path, name, option, more, one_thread):
    few, many = (
        probed(name, tmp_path, *SMALL, *more, f"experiment.{option}={count}")[0].table
        for count in (1, 2)
    )
    first = many[many[option.removesuffix("s")] == 0].reset_index(drop=True)
    assert len(many) > len(few)
    pd.testing.assert_frame_equal(few, first)
