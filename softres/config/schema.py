"""The typed top level of the configuration."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from typing import Any

from hydra.core.config_store import ConfigStore

# Our choices have the names of the plugins', on purpose: the plugins' own types check their values,
# which Hydra calls deprecated and still does.
warnings.filterwarnings("ignore", message=r"\s*'hydra/launcher/\w+' is validated against")

__all__ = ["RunSchema", "SweepSchema", "register"]


@dataclass
class SweepSchema:
    """How a command goes through its jobs."""

    dry_run: bool = False


@dataclass
class RunSchema:
    """Top-level keys and their types; the groups are checked by their own option classes."""

    n: int | None = None
    d: int | None = None
    R: float | None = None
    eps: float = 1e-10
    seed: int = 0
    max_steps: int = 200
    time_limit: float | None = None
    memory_limit: float | None = None
    force: bool = False
    sweep: SweepSchema = field(default_factory=SweepSchema)
    start: dict[str, Any] = field(default_factory=dict)
    problem: dict[str, Any] = field(default_factory=dict)
    solver: dict[str, Any] = field(default_factory=dict)
    backend: dict[str, Any] = field(default_factory=dict)
    data: dict[str, Any] = field(default_factory=dict)
    weights: dict[str, Any] = field(default_factory=dict)
    tracking: dict[str, Any] = field(default_factory=dict)
    experiment: dict[str, Any] = field(default_factory=dict)


def register() -> None:
    """Make the schema known to Hydra, under the name that ``conf/config.yaml`` extends."""
    ConfigStore.instance().store(name="run_schema", node=RunSchema)
