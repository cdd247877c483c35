"""What Hydra can choose from: made from what solvers, problems, data sets and claims declare."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

from hydra.core.config_store import ConfigStore

from softres.common.declarations import Declaration
from softres.common.discovery import add_plugins, catalogue
from softres.config.schema import RunSchema
from softres.config.sweeping.sweeper import register_sweeper
from softres.config.typed.nearest import CLASSES
from softres.config.typed.plugins import given_plugins

__all__ = ["register"]

# Our choices have the names of the plugins', on purpose: the plugins' own types check their values,
# which Hydra calls deprecated and still does.
warnings.filterwarnings("ignore", message=r"\s*'hydra/launcher/\w+' is validated against")


def register(arguments: Sequence[str] = ()) -> None:
    """Make the schema and the choices known to Hydra.

    Parameters
    ----------
    arguments
        A command's, in which ``plugins`` may stand.

    Raises
    ------
    InputError
        If a plug-in cannot be used.
    """
    add_plugins(given_plugins(arguments))
    store = ConfigStore.instance()
    store.store(name="run_schema", node=RunSchema)
    for group in CLASSES:
        for one in catalogue(group).values():
            node = {group: {"name": one.name, **one.options}, **one.presets}
            store.store(group=group, name=one.name, node=node, package="_global_")
    for one in catalogue("claim").values():
        for profile, folder in (("full", "experiment"), ("quick", "experiment/quick")):
            if one.sweeps.get(profile):
                store.store(
                    group=folder, name=one.name, node=_sweep(one, profile), package="_global_"
                )
    register_sweeper()


def _sweep(one: Declaration, profile: str) -> dict[str, Any]:
    return {
        "experiment": {"id": one.name, "profile": profile},
        "tracking": {"experiment": one.name},
        "hydra": {"sweeper": {"params": dict(one.sweeps[profile])}},
    }
