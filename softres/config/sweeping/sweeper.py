"""The sweeper: every combination of values that makes sense, all checked before the first job."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hydra.core.config_store import ConfigStore
from hydra.core.plugins import Plugins
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf

from softres.config.beginning import begin
from softres.config.jobs import sweep_jobs
from softres.config.launching import watched_workers
from softres.config.sweeping.running import Numbered, overrides_of, run_here, runs_here, skip_jobs

__all__ = ["GridSweeper", "register_sweeper"]

#: The choice ``hydra/sweeper=grid``. Hydra takes plug-ins of one namespace only, and asks for the
#: class by this name.
TARGET = "hydra_plugins.softres.GridSweeper"


class GridSweeper(Sweeper):
    """Goes through the jobs that :func:`softres.config.jobs.sweep_jobs` makes.

    What is not allowed ends the command here, where nothing swallows it; and unlike Hydra's basic
    sweeper it composes no job a second time only to see that it can be.

    Parameters
    ----------
    max_batch_size
        Jobs that the launcher gets at once; ``None``: all.
    params
        What the configuration sweeps over, as the command line would say it.
    """

    def __init__(self, max_batch_size: int | None, params: Mapping[str, str] | None = None) -> None:
        self.max_batch_size, self.params = max_batch_size, params

    def setup(
        self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig
    ) -> None:
        """Make the launcher."""
        self.config = config
        self.launcher = Plugins.instance().instantiate_launcher(
            hydra_context=hydra_context, task_function=task_function, config=config
        )

    def sweep(self, arguments: list[str]) -> Any:
        """Run the jobs that no store has finished."""
        config = self.config
        assert config is not None
        jobs = begin(config, lambda: sweep_jobs(config))
        from softres.harness.terminal.progress import (  # heavy: not before the check
            count_done,
            write_sweep,
        )
        from softres.tracking.options import without_secrets

        folder = Path(config.hydra.sweep.dir)
        write_sweep(folder, len(jobs))
        text = without_secrets(OmegaConf.to_yaml(config))
        (folder / "multirun.yaml").write_text(text, encoding="utf-8")
        try:
            left = skip_jobs(config.hydra, jobs)
            if runs_here(config.hydra):
                run_here(config.hydra, left)
            else:
                self._launch(config.hydra, left)
        except KeyboardInterrupt:
            from softres.harness.terminal.links import show_interrupted

            tracking: Any = OmegaConf.to_container(config.tracking, resolve=True)
            show_interrupted(folder, tracking, list(config.hydra.overrides.task))
            done = f"{count_done(folder)} of {len(jobs)} jobs are done"
            raise KeyboardInterrupt(f"{done}; the same command goes on from here") from None

    def _launch(self, hydra: DictConfig, jobs: Sequence[Numbered]) -> None:
        """Hand jobs to Hydra's launcher, in batches as large as it takes."""
        assert self.launcher is not None
        texts = [overrides_of(hydra, place, job) for place, job in enumerate(jobs)]
        size = self.max_batch_size or max(1, len(texts))
        for number in range(0, len(texts), size):
            batch = texts[number : number + size]
            with watched_workers(hydra):
                results = self.launcher.launch(batch, initial_job_idx=number)
            for result in results:
                _ = result.return_value  # raises where the job failed


def register_sweeper() -> None:
    """Make the sweeper known to Hydra."""
    Plugins.instance().class_name_to_class[TARGET] = GridSweeper
    node = {"_target_": TARGET, "max_batch_size": None, "params": None}
    ConfigStore.instance().store(group="hydra/sweeper", name="grid", node=node)
