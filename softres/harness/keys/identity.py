"""What makes two runs the same: the resolved configuration and the code that it uses."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from softres.common.program import shown_command
from softres.common.text import typed
from softres.harness.keys.digests import run_digest
from softres.harness.probe import Probe
from softres.harness.settings import Settings

__all__ = ["config_hash", "job_key", "reproducing_command", "run_name"]

#: Keys that do not change what a run computes; limits extend a run rather than make another.
NOT_IDENTITY = ("plugins", "tracking", "force", "sweep", "max_steps", "time_limit", "memory_limit")
#: Keys that a run's name has anyway or does without, and groups whose options it leaves out.
IN_NAME = (
    "n",
    "d",
    "seed",
    "solver",
    "problem",
    "data",
    "backend",
    "experiment",
    "max_steps",
    "time_limit",
)
NOT_IN_NAME = ("plugins", "tracking", "hydra", "force", "sweep", "memory_limit")
#: Keys that say where and how a command runs, not what.
NOT_IN_COMMAND = ("tracking", "hydra", "force", "sweep")


def config_hash(settings: Settings) -> str:
    """Return a hash of the resolved configuration.

    It does not depend on the order of keys, nor on how a number is written: 4, 4.0 and 4e0 are one.
    """
    tree: dict[str, Any] = {k: v for k, v in settings.tree.items() if k not in NOT_IDENTITY}
    tree["fingerprint"] = settings.data.fingerprint()
    text = json.dumps(_plain(tree), sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _plain(value: Any) -> Any:
    """Return a tree with its whole numbers as integers."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def job_key(settings: Settings, probe: Probe | None = None) -> str:
    """Return the key of a run: equal keys mean equal results."""
    return f"{config_hash(settings)}-{run_digest(settings, probe)}"


def run_name(settings: Settings, overrides: Sequence[str] = ()) -> str:
    """Return a name that a person can read, such as ``approx_newton n=10000 d=50 seed=0``.

    A problem that the solver stands for is named where another one was asked for. Options that the
    command line set, such as ``weights.value=1e-4``, stand at the end.
    """
    parts = [str(settings.experiment.get("id", settings.solver.name))]
    if parts[0] != settings.solver.name:
        parts.append(settings.solver.name)
    if settings.problem != settings.tree["problem"]["name"]:
        parts.append(f"(solves {settings.problem})")
    elif settings.solver.problem is None and settings.problem != "softres":
        parts.append(settings.problem)
    data = str(settings.tree["data"]["name"])
    if data != "synthetic":
        parts.append(data)
    parts += [f"n={settings.n}", f"d={settings.d}"]
    if settings.backend.name != "numpy":
        on = settings.backend
        parts.append(on.name if on.device == "cpu" else on.device)
    parts.append(f"seed={settings.seed}")
    for text in overrides:
        key = text.split("=", 1)[0].lstrip("+~")
        if key not in IN_NAME and _key(text) not in NOT_IN_NAME:
            parts.append(text.lstrip("+~"))
    return " ".join(parts)


def reproducing_command(overrides: Sequence[str]) -> str:
    """Return the command that runs a job alone and again, whatever the store has of it."""
    kept = [text for text in overrides if _key(text) not in NOT_IN_COMMAND]
    return f"{shown_command('run')} {typed([*kept, 'force=true'])}"


def _key(override: str) -> str:
    return re.split(r"[=./@]", override.lstrip("+~"), maxsplit=1)[0]
