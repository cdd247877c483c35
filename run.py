"""Run one configuration, or sweep many: ``python run.py --help`` says how."""

from __future__ import annotations

import sys

from softres.config.help import show_help

if show_help(sys.argv[1:]):
    raise SystemExit(0)

import hydra
from omegaconf import DictConfig

from softres.config.console_entry import run_command


@hydra.main(version_base="1.3", config_path="conf", config_name="config")
def main(config: DictConfig) -> None:
    """Run one job; Hydra calls this once, or once for every combination of a sweep."""
    from softres.config.launching import job_context
    from softres.config.settings import settings

    checked = settings(config)  # before anything heavy is imported
    from softres.config.claims import probe_for
    from softres.harness import run_job

    run_job(checked, job_context(), probe_for(checked))


if __name__ == "__main__":
    run_command(main)
