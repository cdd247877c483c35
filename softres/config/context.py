"""What Hydra knows of the job that is running."""

from __future__ import annotations

from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode

from softres.config.launching import SERIAL, launcher_name, workers
from softres.harness.job import JobContext

__all__ = ["job_context"]


def job_context() -> JobContext:
    """Return the running job's place in its command."""
    hydra = HydraConfig.get()
    single = hydra.mode == RunMode.RUN
    command = Path(hydra.run.dir if single else hydra.sweep.dir)
    return JobContext(
        folder=Path(hydra.runtime.output_dir),
        number=0 if single else int(hydra.job.num),
        sweep=command.name,
        overrides=tuple(hydra.overrides.task),
        launcher=SERIAL[0] if single else launcher_name(hydra),
        workers=1 if single else workers(hydra),
        single=single,
    )
