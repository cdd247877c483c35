"""The jobs of a command, composed before the first one starts."""

from __future__ import annotations

import copy
from typing import Any, NamedTuple

from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import DictConfig, OmegaConf

from softres.common.errors import InputError

__all__ = ["Job", "single_job", "sweep_jobs"]


class Job(NamedTuple):
    """A job's configuration, without Hydra's own, and the overrides that make it."""

    config: DictConfig
    overrides: tuple[str, ...]


def single_job(config: DictConfig) -> Job:
    """Return the only job of a run."""
    return Job(_without_hydra(config), tuple(config.hydra.overrides.task))


def sweep_jobs(config: DictConfig) -> list[Job]:
    """Compose every job that Hydra's basic sweeper will make of a sweep.

    Hydra composes a job from its files in a tenth of a second. Jobs with the same choices differ
    in single values only, which Hydra sets at the end; they share one composition here.

    Raises
    ------
    InputError
        If there is none.
    """
    from hydra._internal.config_loader_impl import ConfigLoaderImpl
    from hydra._internal.core_plugins.basic_sweeper import BasicSweeper

    if not config.hydra.sweeper._target_.endswith("BasicSweeper"):
        return []  # other sweepers choose values as they go; each job checks its own
    loader: Any = GlobalHydra.instance().config_loader()
    parser = OverridesParser.create(config_loader=loader)
    params = config.hydra.sweeper.get("params") or {}
    arguments = [f"{key}={value}" for key, value in params.items()]
    arguments += list(config.hydra.overrides.task)
    overrides = parser.parse_overrides(arguments)
    composed: dict[tuple[str, ...], DictConfig] = {}
    jobs = []
    for batch in BasicSweeper.split_arguments(overrides, None):
        for chosen in batch:
            parsed = parser.parse_overrides(chosen)
            values = [one for one in parsed if not _is_choice(loader, one.key_or_group)]
            texts = {one.input_line for one in values}
            choices = tuple(text for text in chosen if text not in texts)
            if choices not in composed:
                full = loader.load_sweep_config(config, list(choices))
                composed[choices] = _without_hydra(full)
                OmegaConf.set_struct(composed[choices], True)
            job = copy.deepcopy(composed[choices])
            ConfigLoaderImpl._apply_overrides_to_config(values, job)
            jobs.append(Job(job, tuple(chosen)))
    if not jobs:
        raise InputError("the sweep has no jobs: a range without values is among its keys")
    return jobs


def _is_choice(loader: Any, key: str) -> bool:
    return bool(loader.repository.group_exists(key)) or "@" in key


def _without_hydra(config: DictConfig) -> DictConfig:
    return OmegaConf.masked_copy(config, [str(key) for key in config if key != "hydra"])
