"""Runs and contexts made by hand, for judges and measurements."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
from hydra import compose, initialize_config_dir

from experiments.kit.runs import LoggedRun
from softres.config.choices import register
from softres.config.settings import settings
from softres.harness.probe import ProbeContext

CONF = str(Path(__file__).parents[2] / "conf")


def logged(table: pd.DataFrame, number: int = 0, **params: Any) -> LoggedRun:
    """Return a finished run with this table; ``__`` in a parameter's name stands for a dot."""
    run = LoggedRun(
        f"run-{number}",
        f"run {number}",
        {key.replace("__", "."): str(value) for key, value in params.items()},
        {
            "status": "measured",
            "timing_valid": "true",
            "command": f"python run.py seed={number} force=true",
        },
        {},
        Path,
    )
    run.__dict__["table"] = table  # what the cached property would read
    return run


@cache
def _settings(*overrides: str):
    register()
    with initialize_config_dir(version_base="1.3", config_dir=CONF):
        return settings(compose("config", overrides=["tracking=none", *overrides]))


def context(*overrides: str) -> ProbeContext:
    """Return what a measurement gets for these overrides."""
    return ProbeContext(_settings(*overrides))


def conclusions(verdicts) -> dict[str, str]:
    """Return the conclusion of every statement."""
    return {verdict.statement: verdict.conclusion.name for verdict in verdicts}
