"""The sweeper: every combination of values that makes sense, all checked before the first job."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hydra.core.config_store import ConfigStore
from hydra.core.plugins import Plugins
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf

from softres.config.beginning import begin
from softres.config.jobs import sweep_jobs

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
        """Launch the jobs, in batches as large as the launcher takes."""
        config = self.config
        assert config is not None
        assert self.launcher is not None
        jobs = begin(config, lambda: sweep_jobs(config))
        from softres.harness.terminal.progress import (  # heavy: not before the check
            count_done,
            write_sweep,
        )

        folder = Path(config.hydra.sweep.dir)
        folder.mkdir(parents=True, exist_ok=True)
        OmegaConf.save(config, folder / "multirun.yaml")
        write_sweep(folder, len(jobs))
        texts = [list(job.overrides) for job in jobs]
        size = self.max_batch_size or len(texts)
        returns = []
        try:
            for number in range(0, len(texts), size):
                batch = texts[number : number + size]
                results = self.launcher.launch(batch, initial_job_idx=number)
                for result in results:
                    _ = result.return_value  # raises where the job failed
                returns.append(results)
        except KeyboardInterrupt:
            done = f"{count_done(folder)} of {len(texts)} jobs are done"
            raise KeyboardInterrupt(f"{done}; the same command goes on from here") from None
        return returns


def register_sweeper() -> None:
    """Make the sweeper known to Hydra."""
    Plugins.instance().class_name_to_class[TARGET] = GridSweeper
    node = {"_target_": TARGET, "max_batch_size": None, "params": None}
    ConfigStore.instance().store(group="hydra/sweeper", name="grid", node=node)
