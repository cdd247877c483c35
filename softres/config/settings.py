"""From Hydra's configuration to checked options: every range is checked here, before any work."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import Any, TypeVar

from omegaconf import DictConfig, OmegaConf

from softres.common.discovery import add_plugins
from softres.common.errors import InputError, MismatchError
from softres.config.typed.options import options, typed
from softres.data.files.budget import reading_within
from softres.data.registry import DATA
from softres.data.start import StartOptions
from softres.data.weights import WeightOptions
from softres.harness.outcome import OBJECTIVES
from softres.harness.settings import Settings
from softres.matrices.backends import BackendOptions
from softres.problems import PROBLEMS
from softres.solvers import SOLVERS
from softres.tracking import TrackingOptions

__all__ = ["settings"]

T = TypeVar("T")

#: Problems and options of theirs that were made once.
_sound: set[tuple[Any, str]] = set()


def settings(config: DictConfig | Mapping[str, Any]) -> Settings:
    """Check a composed configuration, or its plain values, and turn it into options.

    Raises
    ------
    InputError
        On the first value that is not allowed; names the key, the value, and what is.
    """
    plain: Any = config
    if isinstance(config, DictConfig):
        plain = OmegaConf.to_container(config, resolve=True)
    tree = typed(plain)
    add_plugins(tree.get("plugins"))
    R = tree["R"]
    if R is not None and not 0 < R < 1e6:
        raise InputError(f"R={R}: allowed is a number between 0 and 1e6; R is |A|_2")
    if not 0 < tree["eps"] < 1:
        raise InputError(f"eps={tree['eps']}: allowed is 0 < eps < 1, the error relative to x0's")
    if not 0 <= tree["seed"] < 2**63:
        raise InputError(f"seed={tree['seed']}: allowed is a whole number >= 0")
    if tree["sweep"]["objective"] not in OBJECTIVES:
        given, allowed = tree["sweep"]["objective"], ", ".join(OBJECTIVES)
        raise InputError(f"sweep.objective={given}: allowed are {allowed}")
    _positive("max_steps", tree["max_steps"])
    for key, unit in (("time_limit", "seconds"), ("memory_limit", "GiB")):
        if tree[key] is not None and not 0 < tree[key] < inf:
            raise InputError(f"{key}={tree[key]}: allowed is a positive number of {unit}")
    _check_weights(tree["weights"])
    tracking = options(TrackingOptions, tree["tracking"], "tracking")
    # Without a password: the tree is shown and kept.
    tree["tracking"] = tree["tracking"] | {"uri": tracking.uri}
    solver = _named(tree["solver"], "solver", SOLVERS)
    backend = options(BackendOptions, tree["backend"], "backend")
    backend.check_device()
    data = _named(tree["data"], "data", DATA)
    asked = PROBLEMS.get(solver.problem or tree["problem"]["name"])
    if asked is not None and asked.factored:
        data = data.with_factors()
    with reading_within(tree["memory_limit"]):
        n, d = data.size(tree["n"], tree["d"], R)
        stored = data.storage(n, d)
    stored.check(data.name, backend)
    problem = dict(tree["problem"])
    name = problem.pop("name")
    _check_problem(name, problem)
    if backend.arrays not in solver.backends:
        raise MismatchError(
            f"solver={solver.name} with backend={backend.name}: it works on "
            f"backend={' or '.join(solver.backends)} only"
        )
    if solver.problem is not None and solver.problem != name:
        name, problem = solver.problem, {}
    return Settings(
        n=n,
        d=d,
        R=R,
        eps=tree["eps"],
        seed=tree["seed"],
        max_steps=tree["max_steps"],
        time_limit=tree["time_limit"],
        memory_limit=tree["memory_limit"],
        force=tree["force"],
        problem=name,
        problem_options=problem,
        solver=solver,
        backend=backend,
        data=data,
        storage=stored,
        weights=options(WeightOptions, tree["weights"], "weights"),
        start=options(StartOptions, tree["start"], "start"),
        tracking=tracking,
        experiment=tree.get("experiment") or {},
        tree=tree | {"n": n, "d": d},
    )


def _positive(key: str, value: int | None) -> None:
    if value is None or value < 1:
        raise InputError(f"{key}={value}: allowed is a whole number >= 1")


def _check_weights(weights: Mapping[str, Any]) -> None:
    """Refuse a number beside a rule that takes none."""
    name, value = weights.get("name"), weights.get("value")
    if name in ("theorem", "none") and value:
        raise MismatchError(
            f"weights.value={value} with weights={name}: it takes no value; weights=relative and "
            "weights=absolute do"
        )


def _check_problem(name: str, given: Mapping[str, Any]) -> None:
    """Make the smallest problem: its class knows what its options may be."""
    if name not in PROBLEMS:
        raise InputError(f"problem={name}: allowed are {', '.join(PROBLEMS)}")
    try:
        if (known := (PROBLEMS[name], repr(given))) not in _sound:
            PROBLEMS[name].smallest(**given)
            _sound.add(known)
    except InputError as error:
        raise InputError(f"problem.{error}") from None
    except (TypeError, ValueError):
        words = ", ".join(f"problem.{key}={value}" for key, value in given.items())
        raise InputError(f"{words}: not what {name} takes; its numbers must be numbers") from None


def _named(values: Mapping[str, Any], group: str, classes: Mapping[str, type[T]]) -> T:
    name = str(values.get("name"))
    if name not in classes:
        raise InputError(f"{group}={name}: allowed are {', '.join(classes)}")
    rest = {key: value for key, value in values.items() if key != "name"}
    return options(classes[name], rest, group)
