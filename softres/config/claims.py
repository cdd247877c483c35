"""Which claim a run belongs to: what it takes, and what it measures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from softres.common.discovery import catalogue, find
from softres.common.errors import InputError

if TYPE_CHECKING:
    from softres.harness.probe import Probe
    from softres.harness.settings import Settings

__all__ = ["DEFAULTS", "check_claim", "probe_for"]

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
        Names the claim, what it was given, and what it takes; or that there is no such claim or
        theorem.
    """
    name = (tree.get("experiment") or {}).get("id")
    if name is None:
        return
    theorem = (tree.get("experiment") or {}).get("theorem")
    if theorem is not None and str(theorem) not in catalogue("theorem"):
        known = ", ".join(catalogue("theorem"))
        raise InputError(f"experiment.theorem={theorem}: allowed are {known}")
    claim = find("claim", str(name))
    if claim.measure is None:
        return
    data = tree["data"].get("name")
    if data != "synthetic" and not claim.any_data:
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
        if given != default and key not in claim.uses:
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
    measure = find("claim", str(name)).measure
    return None if measure is None else Probe(measure)
