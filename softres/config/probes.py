"""What a run measures, by the claim that its configuration names."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from softres.config.settings import Settings
    from softres.harness.probe import Probe

__all__ = ["probe_for"]


def probe_for(settings: Settings) -> Probe | None:
    """Return what a run measures; ``None`` for a solve.

    Raises
    ------
    InputError
        If there is no such claim, or it does not measure on what it was given.
    """
    found: Probe | None = import_module("experiments.kit.registry").probe_for(settings)
    return found
