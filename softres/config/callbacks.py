"""What happens around a command's jobs: checks before the first, a closing table after the last."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from hydra.experimental.callback import Callback
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from softres.config.console_entry import USAGE, one_line
from softres.errors import InputError

__all__ = ["SoftresCallback"]


class SoftresCallback(Callback):
    """Checks every job of a sweep before its first one starts, and closes a command.

    Hydra swallows what a callback raises, except ``SystemExit``.
    """

    def on_multirun_start(self, config: DictConfig, **_: Any) -> None:
        """End with status 2 if any job of the sweep has a value that is not allowed."""
        _check(lambda: _jobs(config))

    def on_run_start(self, config: DictConfig, **_: Any) -> None:
        """End with status 2 if a single run has a value that is not allowed."""
        _check(lambda: [_without_hydra(config)])

    def on_run_end(self, config: DictConfig, **_: Any) -> None:
        """Close a single run."""
        _close(config, config.hydra.run.dir)

    def on_multirun_end(self, config: DictConfig, **_: Any) -> None:
        """Close a sweep."""
        _close(config, config.hydra.sweep.dir)


def _check(jobs: Callable[[], list[DictConfig]]) -> None:
    from softres.config.settings import settings

    try:
        for job in jobs():
            settings(job)
    except (InputError, HydraException, OmegaConfBaseException) as error:
        print(f"softres: {one_line(error)}", file=sys.stderr)
        raise SystemExit(USAGE) from None


def _without_hydra(config: DictConfig) -> DictConfig:
    return OmegaConf.masked_copy(config, [str(key) for key in config if key != "hydra"])


def _jobs(config: DictConfig) -> list[DictConfig]:
    """Compose every job that Hydra's basic sweeper would make of a sweep."""
    from hydra._internal.core_plugins.basic_sweeper import BasicSweeper

    if not config.hydra.sweeper._target_.endswith("BasicSweeper"):
        return []  # other sweepers choose values as they go; each job checks its own
    loader = GlobalHydra.instance().config_loader()
    params = config.hydra.sweeper.get("params") or {}
    arguments = [f"{key}={value}" for key, value in params.items()]
    arguments += list(config.hydra.overrides.task)
    overrides = OverridesParser.create(config_loader=loader).parse_overrides(arguments)
    jobs = []
    for batch in BasicSweeper.split_arguments(overrides, None):
        for chosen in batch:
            jobs.append(_without_hydra(loader.load_sweep_config(config, chosen)))
    return jobs


def _close(config: DictConfig, folder: str) -> None:
    from softres.harness.closing import close_command

    tracking: Any = OmegaConf.to_container(config.tracking, resolve=True)
    if not close_command(folder, tracking, list(config.hydra.overrides.task)):
        raise SystemExit(1)
