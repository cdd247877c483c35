"""Every choice under conf/ gives settings, with the defaults of the option classes."""

from __future__ import annotations

from dataclasses import MISSING, asdict, fields
from functools import cache
from inspect import signature, unwrap
from pathlib import Path

import numpy as np
import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from softres.common.discovery import catalogue
from softres.common.errors import InputError
from softres.config.choices import register
from softres.config.schema import RunSchema
from softres.config.settings import settings
from softres.data.files.shard_writer import write_folder
from softres.data.registry import DATA
from softres.data.start import StartOptions
from softres.data.weights import WeightOptions
from softres.matrices.backends import BackendOptions
from softres.problems import PROBLEMS
from softres.solvers import SOLVERS, solve
from softres.tracking import TrackingOptions

CONF = Path(__file__).parents[2] / "conf"
CHOICES = sorted(
    (file.parent.name, file.stem)
    for file in CONF.glob("*/*.yaml")
    if file.parent.name not in ("hydra", "experiment")
) + [(kind, name) for kind in ("solver", "problem", "data") for name in catalogue(kind)]
#: What a choice needs beside itself.
NEEDS = {
    ("solver", "torch_lbfgs"): ["backend=torch"],
    ("data", "file"): ["data.path=PATH"],
    ("data", "streamed"): ["data.path=FOLDER"],
    ("problem", "matrix"): ["data=attention_smollm2"],
}


@pytest.fixture(scope="session")
def checked(tmp_path_factory):
    """Return a function that composes a command's configuration and checks it."""
    path = tmp_path_factory.mktemp("data") / "mine.npz"
    A, b = np.random.default_rng(0).standard_normal((9, 3)), np.full(9, 1 / 9)
    np.savez(path, A=A, b=b)
    folder = path.parent / "shards"
    write_folder(folder, [A], b)
    register()

    @cache
    def compose_and_check(*overrides):
        with initialize_config_dir(version_base="1.3", config_dir=str(CONF)):
            filled = [
                override.replace("PATH", str(path)).replace("FOLDER", str(folder))
                for override in overrides
            ]
            return settings(compose("config", overrides=filled))

    return compose_and_check


@pytest.fixture
def with_cuda(monkeypatch):
    """Let torch find a CUDA device."""
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)


def group(name):
    return [choice for where, choice in CHOICES if where == name]


def in_yaml(where, choice):
    return OmegaConf.to_container(OmegaConf.load(CONF / where / f"{choice}.yaml"), resolve=True)


@pytest.mark.usefixtures("with_cuda")
@pytest.mark.parametrize(("where", "choice"), CHOICES)
def test_every_choice_gives_settings(checked, where, choice):
    if choice == "dask":
        pytest.importorskip("dask")
    found = checked(f"{where}={choice}", *NEEDS.get((where, choice), []))
    if where in ("solver", "problem", "data"):
        assert found.tree[where]["name"] == choice
    else:
        assert found.tree[where] == in_yaml(where, choice)


def test_the_groups_name_what_the_library_has():
    assert group("weights") == ["absolute", "none", "relative", "theorem"]
    assert group("backend") == ["cuda", "dask", "numpy", "torch"]
    assert group("tracking") == ["none", "server", "sqlite"]


@pytest.mark.parametrize("name", SOLVERS)
def test_a_solver_has_the_defaults_of_its_class(checked, name):
    assert checked(f"solver={name}", *NEEDS.get(("solver", name), [])).solver == SOLVERS[name]()
    assert set(catalogue("solver")[name].options) == {one.name for one in fields(SOLVERS[name])}


@pytest.mark.parametrize("name", DATA)
def test_data_have_the_defaults_of_their_class(checked, name):
    found = checked(f"data={name}", *NEEDS.get(("data", name), [])).data
    if name not in ("file", "streamed"):  # which need a path
        assert found == DATA[name]()
    assert set(catalogue("data")[name].options) == {one.name for one in fields(DATA[name])}


@pytest.mark.parametrize("name", PROBLEMS)
def test_a_problem_has_the_defaults_of_its_class(checked, name):
    found = checked(f"problem={name}", *NEEDS.get(("problem", name), []))
    assert found.problem == name
    known = signature(type(PROBLEMS[name].smallest()).__init__).parameters
    for option, value in found.problem_options.items():
        assert value == known[option].default


#: The values in yaml that differ from the class's default, on purpose.
EXCEPTIONS = {
    ("backend", "torch"): {"name": "torch"},
    ("backend", "dask"): {"name": "dask"},
    ("backend", "cuda"): {"name": "torch", "device": "cuda"},
    ("weights", "theorem"): {"name": "theorem", "value": 0.0},
    ("weights", "none"): {"name": "none", "value": 0.0},
    ("weights", "absolute"): {"name": "absolute", "value": 1e-6},
    ("tracking", "none"): {"enabled": False},
    ("tracking", "server"): {"uri": "http://127.0.0.1:5000"},
}
CLASSES = {"backend": BackendOptions, "weights": WeightOptions, "tracking": TrackingOptions}


@pytest.mark.usefixtures("with_cuda")
@pytest.mark.parametrize(("where", "choice"), [pair for pair in CHOICES if pair[0] in CLASSES])
def test_other_groups_differ_from_their_class_where_a_choice_means_it(checked, where, choice):
    if choice == "dask":
        pytest.importorskip("dask")
    kind = CLASSES[where]
    exceptions = EXCEPTIONS.get((where, choice), {})
    assert getattr(checked(f"{where}={choice}"), where) == kind(**exceptions)
    assert in_yaml(where, choice) == asdict(kind()) | exceptions


def test_the_top_level_has_the_defaults_of_its_schema_and_of_solve(checked):
    found = checked()
    schema = {field.name: field.default for field in fields(RunSchema)}
    arguments = signature(solve).parameters
    for key in ("eps", "seed", "max_steps", "time_limit"):
        assert getattr(found, key) == schema[key] == arguments[key].default, key
    assert found.force is schema["force"] is False
    assert found.start == StartOptions()
    assert {key for key, default in schema.items() if default is not MISSING} <= found.tree.keys()


#: Step limits that a solver brings along.
LIMITS = {
    "gradient_descent": 20_000,
    "scipy_lbfgs": 5000,
    "scipy_trust_ncg": 1000,
    "scipy_newton_cg": 1000,
    "torch_lbfgs": 5000,
}


@pytest.mark.parametrize("name", SOLVERS)
def test_a_solver_may_bring_a_step_limit(checked, name):
    found = checked(f"solver={name}", *NEEDS.get(("solver", name), []))
    assert found.max_steps == LIMITS.get(name, 200)


def test_the_command_line_overrules_the_step_limit_of_a_solver(checked):
    for overrides in (("solver=gradient_descent", "max_steps=7"), ("max_steps=7",)):
        assert checked(*overrides).max_steps == 7


@pytest.mark.parametrize(
    ("data", "size"),
    [
        ("synthetic", (1000, 20, 4.0)),
        ("digits", (1797, 64, None)),
        ("unembedding_minilm", (30522, 384, None)),
        ("file", (9, 3, None)),
    ],
)
def test_data_bring_their_size(checked, data, size):
    found = checked(f"data={data}", *NEEDS.get(("data", data), []))
    assert (found.n, found.d, found.R) == size
    assert (found.tree["n"], found.tree["d"]) == size[:2]


@pytest.mark.parametrize(
    ("solver", "problem"), [("softmax_regression", "softmax"), ("resnet_regression", "resnet")]
)
def test_a_solver_that_stands_for_a_problem_switches_it(checked, solver, problem):
    found = checked(f"solver={solver}", "problem.beta=0.5")
    assert (found.problem, found.problem_options) == (problem, {})
    kept = checked(f"solver={solver}", "problem=resnet", "problem.branch=tanh")
    assert kept.problem == problem
    assert kept.problem_options == ({"branch": "tanh"} if problem == "resnet" else {})


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("R=0", r"R=0\.0: allowed is a number between 0 and 1e6"),
        ("R=nan", r"R=nan: allowed"),
        ("R=null", r"R=null: data=synthetic needs a number"),
        ("eps=1", r"eps=1\.0: allowed is 0 < eps < 1"),
        ("eps=0", r"eps=0\.0: allowed is 0 < eps < 1"),
        ("seed=-1", r"seed=-1: allowed is a whole number >= 0"),
        ("max_steps=0", r"max_steps=0: allowed is a whole number >= 1"),
        ("time_limit=-2", r"time_limit=-2\.0: allowed is a positive number"),
        ("d=0", r"d=0: allowed is a whole number >= 1"),
        ("problem.beta=-1", r"problem\.beta=-1: allowed is a positive number"),
        ("solver.name=typo", r"solver=typo: allowed are preconditioned_newton, .*torch_lbfgs"),
        ("data.name=typo", r"data=typo: allowed are synthetic, .*file"),
        ("problem.name=typo", r"problem=typo: allowed are softres, softmax"),
        ("+solver.eps0=0.1", r"solver\.eps0: no such key; it is an option of solver=approx_newton"),
        ("backend.dtype=half", r"backend\.dtype=half: allowed are float64, float32"),
        ("backend.device=cuda", r"backend\.device=cuda: backend=numpy runs on cpu only"),
        ("backend.threads=0", r"backend\.threads=0: allowed"),
        ("backend.threads=two", r"backend\.threads=two: must be a whole number"),
        ("data.noise=loud", r"data\.noise=loud: must be a number"),
        ("data.rows=typo", r"data\.rows=typo: allowed is gaussian"),
        ("weights.value=-1", r"weights\.value=-1\.0: allowed"),
        ("start.kind=typo", r"start\.kind=typo: allowed are default"),
        ("tracking.port=0", r"tracking\.port=0: must be in 1 \.\.\. 65535"),
        ("solver=torch_lbfgs", r"solver=torch_lbfgs with backend=numpy: .* backend=torch only"),
    ],
)
def test_a_value_that_is_not_allowed_is_named_in_one_line(checked, override, message):
    with pytest.raises(InputError, match=message) as caught:
        checked(override)
    assert "\n" not in str(caught.value)


def test_a_missing_device_is_named(checked, monkeypatch):
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(InputError, match=r"backend\.device=cuda: torch finds no CUDA device"):
        unwrap(checked)("backend=cuda")  # not what another test found with a device


def test_an_option_of_a_problem_of_the_wrong_type_is_named(checked):
    with pytest.raises(InputError, match=r"problem\.beta=abc"):
        checked("problem.beta=abc")


def test_an_option_that_is_true_or_false_is_named_too(checked):
    with pytest.raises(InputError, match=r"tracking\.enabled=maybe: must be true or false"):
        checked("tracking.enabled=maybe")


def test_an_unknown_key_that_was_added_by_force_is_refused(checked):
    with pytest.raises(InputError, match="typo: no such key"):
        checked("+typo=1")
