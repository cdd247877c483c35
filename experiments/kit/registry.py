"""The claims by their ids."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from softres.common.errors import InputError

if TYPE_CHECKING:
    from experiments.kit.claim import Claim
    from softres.harness.probe import Probe
    from softres.harness.settings import Settings

__all__ = ["ANY_DATA", "DEFAULTS", "IDS", "USES", "check_claim", "claim", "probe_for"]

#: Folder of the claims, one of them for each family.
CLAIMS = Path(__file__).parents[1] / "claims"
#: Every claim, in the order of the report. A new one is a module and a line here.
IDS = (
    "gradient",
    "hessian",
    "low_rank_plus_diagonal",
    "psd",
    "basic_bounds",
    "basic_lipschitz",
    "hessian_lipschitz",
    "sparsifier",
    "shrinking",
    "induction",
    "iterations",
    "success_probability",
    "cost_per_iteration",
    "regime",
    "basin",
    "unification",
    "large_data",
)
#: Claims that measure whatever data they are given. The others draw their instances themselves, or
#: vary and compare what only made-up data have: their size, condition, rows and density. It stands
#: here and not with the claim: what a claim takes is no part of what its finished runs depend on.
ANY_DATA = ("success_probability", "large_data")

_PROBLEM = ("problem", "problem.beta", "problem.branch")
_START = ("start.kind", "start.distance")
#: Options of a solve that a measurement may do without, with their defaults in ``conf/``. None uses
#: the run's solver or its limits: what a measurement solves, it solves with some of its own.
DEFAULTS: Mapping[str, Any] = {
    "solver": "exact_newton",
    "problem": "softres",
    "problem.beta": None,
    "problem.branch": "exp",
    "start.kind": "default",
    "start.distance": 1.0,
    "eps": 1e-10,
    "max_steps": 200,
    "time_limit": None,
}
#: Which of them a claim's measurement depends on; one that is not named here depends on none. Any
#: other value of the rest would make runs that differ in nothing, which a report counts as further
#: cases. What is prepared for a run has its problem, and its x* was looked for from its start; the
#: start counts where more is made of it than that.
USES: Mapping[str, tuple[str, ...]] = {
    "sparsifier": _PROBLEM,
    "shrinking": (*_PROBLEM, *_START),  # M as recalled depends on alpha at the start
    "induction": _PROBLEM,  # its runs begin at the edge of the basin
    "success_probability": (*_PROBLEM, *_START, "eps"),
    "cost_per_iteration": ("problem",),  # with the options that it has by itself
    "large_data": (*_PROBLEM, *_START),  # eps and time_limit are options of the experiment
}


def claim(name: str) -> Claim:
    """Return the claim of that id.

    Raises
    ------
    InputError
        If there is none.
    """
    if name not in IDS:
        raise InputError(f"experiment.id={name}: allowed are {', '.join(IDS)}")
    (path,) = CLAIMS.glob(f"*/{name}.py")
    found: Claim = import_module(f"experiments.claims.{path.parent.name}.{name}").CLAIM
    return found


def check_claim(tree: Mapping[str, Any]) -> None:
    """Refuse what a configuration's claim does not measure on, and what would change nothing.

    A claim whose jobs are solves takes what its solver takes.

    Parameters
    ----------
    tree
        The configuration, checked or not: this comes before sizes, which a claim's sweep sets
        for the data that it is made for.

    Raises
    ------
    InputError
        Names the claim, what it was given, and what it takes; or that there is no such claim.
    """
    name = (tree.get("experiment") or {}).get("id")
    if name is None or claim(str(name)).measure is None:
        return
    data = tree["data"].get("name")
    if data != "synthetic" and name not in ANY_DATA:
        raise InputError(f"experiment={name} with data={data}: it works on data=synthetic only")
    # Measurements are of the problem on the host, and of the digits of double precision.
    for key, option, value in (("name", "backend", "numpy"), ("dtype", "backend.dtype", "float64")):
        given = tree["backend"].get(key)
        if given != value:
            raise InputError(
                f"experiment={name} with {option}={given}: it measures with backend=numpy in "
                "float64 only"
            )
    for key, default in DEFAULTS.items():
        given = _value(tree, key, default)
        if given != default and key not in USES.get(str(name), ()):
            only = f"{key}={'null' if default is None else default}"
            raise InputError(
                f"experiment={name} with {key}={given}: it takes {only} only; what it measures "
                "does not depend on it"
            )


def _value(tree: Mapping[str, Any], option: str, default: Any) -> Any:
    """Return the value of an option, the default where there is none; a group's is its choice."""
    group, _, key = option.partition(".")
    found = tree.get(group, default)
    return found.get(key or "name", default) if isinstance(found, Mapping) else found


def probe_for(settings: Settings) -> Probe | None:
    """Return what a run measures; ``None`` for a solve.

    Raises
    ------
    InputError
        As :func:`check_claim` does.
    """
    from softres.harness.probe import Probe  # heavy: bad input ends a command before it

    check_claim(settings.tree)
    name = settings.experiment.get("id")
    if name is None:
        return None
    measure = claim(str(name)).measure
    return None if measure is None else Probe(measure)
