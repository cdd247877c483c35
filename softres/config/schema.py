"""The typed top level of the configuration."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from hydra.core.config_store import ConfigStore

__all__ = ["RunSchema", "register"]


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
    force: bool = False
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
