"""The jobs of a sweep, composed outside a command: what a report holds finished runs against."""

from __future__ import annotations

from pathlib import Path

from hydra import compose, initialize_config_dir
from hydra.types import RunMode

from softres.config.choices import register
from softres.config.jobs import Job, sweep_jobs

__all__ = ["jobs_of"]


def jobs_of(conf: Path, *overrides: str) -> list[Job]:
    """Return the jobs that ``python run.py -m`` makes of these overrides.

    Parameters
    ----------
    conf
        The folder of the configuration, absolute.

    Raises
    ------
    InputError, HydraException
        If there is no such sweep.
    """
    register()
    with initialize_config_dir(version_base="1.3", config_dir=str(conf)):
        config = compose("config", overrides=list(overrides), return_hydra_config=True)
        config.hydra.mode = RunMode.MULTIRUN
        return sweep_jobs(config)
