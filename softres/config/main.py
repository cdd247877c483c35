"""The function that Hydra calls: once for a run, or for every combination of a sweep."""

from __future__ import annotations

import hydra
from omegaconf import DictConfig

from softres.common.presets import conf_folder

__all__ = ["main"]


@hydra.main(version_base="1.3", config_path=str(conf_folder()), config_name="config")
def main(config: DictConfig) -> None:
    """Run one job."""
    from softres.config.launching import job_context
    from softres.config.settings import settings

    checked = settings(config)  # before anything heavy is imported
    from softres.config.claims import probe_for
    from softres.harness import run_job

    run_job(checked, job_context(), probe_for(checked))
