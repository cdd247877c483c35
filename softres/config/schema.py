"""The typed top level of the configuration."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass
class SweepSchema:
    """How a command goes through its jobs."""

    dry_run: bool = False
    figures: bool = True
    objective: str = "error"


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
    plugins: list[str] = field(default_factory=list)
