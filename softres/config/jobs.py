"""The jobs of a command, composed before the first one starts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from omegaconf import DictConfig, OmegaConf

from softres.common.discovery import catalogue
from softres.common.errors import InputError
from softres.config.sweeping.composition import Composition
from softres.config.typed.nearest import CLASSES

__all__ = ["Job", "arguments_of", "fitting", "is_grid", "single_job", "sweep_jobs"]


class Job(NamedTuple):
    """A job's configuration, as plain values without Hydra's own, and the overrides that make it.

    Jobs share the groups that are the same, which are read only.
    """

    config: Mapping[str, Any]
    overrides: tuple[str, ...]


def single_job(config: DictConfig) -> Job:
    """Return the only job of a run."""
    return Job(Composition(config).plain(), tuple(config.hydra.overrides.task))


def sweep_jobs(config: DictConfig) -> list[Job]:
    """Compose every job of a sweep.

    An option of one choice, such as ``solver.eps0``, is given to that choice alone; where leaving
    it out makes two jobs the same, there is one.

    Hydra composes a job from its files in a tenth of a second. Jobs with the same choices differ
    in single values only, which Hydra sets at the end; they share one composition here.

    Raises
    ------
    InputError
        If there is none.
    """
    from hydra._internal.core_plugins.basic_sweeper import BasicSweeper

    if not is_grid(config.hydra):
        return []  # other sweepers choose values as they go; each job checks its own
    loader: Any = GlobalHydra.instance().config_loader()
    parser = OverridesParser.create(config_loader=loader)
    overrides = parser.parse_overrides(arguments_of(config))
    ((*combinations,),) = BasicSweeper.split_arguments(overrides, None)
    parsed: dict[str, Override] = {}
    composed: dict[tuple[str, ...], Composition] = {}
    jobs = []
    for chosen in fitting(combinations):
        for text in chosen:
            if text not in parsed:
                parsed[text] = parser.parse_override(text)
        choices = tuple(text for text in chosen if _is_choice(loader, parsed[text]))
        if choices not in composed:
            composed[choices] = Composition(loader.load_sweep_config(config, list(choices)))
        values = [parsed[text] for text in chosen if text not in choices]
        jobs.append(Job(composed[choices].plain(values), chosen))
    if not jobs:
        raise InputError("the sweep has no jobs: a range without values is among its keys")
    return jobs


def arguments_of(config: DictConfig) -> list[str]:
    """Return what a sweep goes over, its configuration's and the command line's, as typed.

    An interpolation, ``d=${n}``, is one of the job, not of the sweep: it stays as it is.
    """
    params: Any = OmegaConf.to_container(config.hydra.sweeper, resolve=False).get("params")  # type: ignore[union-attr]
    task: Any = OmegaConf.to_container(config.hydra.overrides.task, resolve=False)
    return [*(f"{key}={value}" for key, value in (params or {}).items()), *map(str, task)]


def is_grid(hydra: Any) -> bool:
    """Whether a command's sweeper goes through every combination."""
    return str(hydra.sweeper._target_).endswith(("BasicSweeper", "GridSweeper"))


def fitting(combinations: Iterable[Sequence[str]]) -> list[tuple[str, ...]]:
    """Return combinations of overrides with each option given only to whom it belongs.

    An option that one choice of the sweep has and another has not, ``solver.eps0`` with
    ``solver=exact_newton``, is left out of the latter's jobs. One that none has stays: it is an
    error, and is said to be one.
    """
    every = [tuple(one) for one in combinations]
    chosen: dict[str, set[str]] = {
        group: {_choice(one, group) for one in every} - {""} for group in CLASSES
    }
    fit: list[tuple[str, ...]] = []
    shortened: set[tuple[str, ...]] = set()
    for one in every:
        job = tuple(text for text in one if _belongs(text, one, chosen))
        if job not in shortened:
            fit.append(job)
        if job != one:
            shortened.add(job)
    return fit


def _choice(overrides: Sequence[str], group: str) -> str:
    """Return the choice of a group among overrides; empty where they leave it alone."""
    names = [text.partition("=")[2] for text in overrides if text.partition("=")[0] == group]
    return names[-1] if names else ""


def _belongs(text: str, overrides: Sequence[str], chosen: Mapping[str, set[str]]) -> bool:
    group, _, option = text.partition("=")[0].partition(".")
    if group not in CLASSES or not option:
        return True
    own = catalogue(group).get(_choice(overrides, group))
    if own is None or option in own.options:
        return True
    others = (catalogue(group).get(name) for name in chosen[group])
    return not any(one is not None and option in one.options for one in others)


def _is_choice(loader: Any, override: Override) -> bool:
    key = override.key_or_group
    return "@" in key or ("." not in key and bool(loader.repository.group_exists(key)))
