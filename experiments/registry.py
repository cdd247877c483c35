"""The claims by their ids."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from softres.config.settings import Settings
from softres.errors import InputError
from softres.harness.probe import Probe

if TYPE_CHECKING:
    from experiments.claim import Claim

__all__ = ["IDS", "claim", "probe_for"]

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


def claim(name: str) -> Claim:
    """Return the claim of that id.

    Raises
    ------
    InputError
        If there is none.
    """
    if name not in IDS:
        raise InputError(f"experiment.id={name}: allowed are {', '.join(IDS)}")
    found: Claim = import_module(f"experiments.{name}").CLAIM
    return found


def probe_for(settings: Settings) -> Probe | None:
    """Return what a run measures; ``None`` for a solve."""
    name = settings.experiment.get("id")
    if name is None:
        return None
    tested = claim(str(name))
    if tested.measure is None:
        return None
    folder = Path(__file__).parent
    files = [folder / f"{module}.py" for module in (tested.id, *tested.sources)]
    return Probe(tested.measure, files)
