"""Hydra's launchers: whether the one that was asked for is installed, and how many jobs it runs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf, open_dict

from softres.common.errors import InputError
from softres.tracking.durable.orphans import end_as_worker, name_launcher
from softres.tracking.environment import cores

if TYPE_CHECKING:
    from softres.harness.job import JobContext

__all__ = [
    "SERIAL",
    "check_launcher",
    "job_context",
    "launcher_name",
    "limit_batches",
    "share_code",
    "watched_workers",
    "workers",
]

#: The launchers that run one job after the other.
SERIAL = ("serial", "basic")
#: The extra that installs a launcher's plugin.
EXTRAS = {"joblib": "joblib", "submitit_local": "slurm", "submitit_slurm": "slurm", "ray": "ray"}


def launcher_name(hydra: Any) -> str:
    """Return the choice of ``hydra/launcher``."""
    return str(hydra.runtime.choices.get("hydra/launcher", SERIAL[0]))


def check_launcher(hydra: DictConfig) -> None:
    """Raise an :class:`InputError` if the launcher is not installed, or would have no workers."""
    name = launcher_name(hydra)
    package = ".".join(str(hydra.launcher._target_).split(".")[:2])
    try:
        found = find_spec(package) is not None
    except ModuleNotFoundError:
        found = False
    if not found:
        extra = EXTRAS.get(name)
        remedy = f"; pip install -e '.[{extra}]'" if extra else ""
        raise InputError(f"hydra/launcher={name}: {package} is not installed{remedy}")
    if hydra.launcher.get("n_jobs") == 0:
        raise InputError("hydra.launcher.n_jobs=0: allowed is a number of workers; -1: all cores")


def share_code() -> None:
    """Let processes that a launcher starts import the project, installed or not; show all lines."""
    root = str(Path(__file__).parents[2])
    paths = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    if root not in paths:
        os.environ["PYTHONPATH"] = os.pathsep.join([root, *filter(None, paths)])
    # Ray, which reads this when it is imported, keeps back lines that two of them print.
    os.environ.setdefault("RAY_DEDUP_LOGS", "0")


@contextmanager
def watched_workers(hydra: DictConfig) -> Iterator[None]:
    """Let the processes of joblib end with this one, whether they have got a job yet or not."""
    if launcher_name(hydra) != "joblib":
        yield
        return
    given = hydra.launcher.backend
    if given != "loky" and (given is not None or hydra.launcher.prefer != "processes"):
        yield  # threads, or processes that the user sees to
        return
    from joblib import parallel_config

    name_launcher()
    with parallel_config(backend="loky", initializer=end_as_worker):
        yield


def limit_batches(hydra: DictConfig) -> None:
    """Let no more jobs of ``submitit_local`` start at once than there are cores for.

    The plugin starts a process for every job that it is handed, so the sweeper hands it few.
    """
    if launcher_name(hydra) != "submitit_local" or "max_batch_size" not in hydra.sweeper:
        return
    if hydra.sweeper.max_batch_size is None:
        with open_dict(hydra.sweeper):
            hydra.sweeper.max_batch_size = max(1, cores() // int(hydra.launcher.cpus_per_task))


def workers(hydra: Any) -> int:
    """Return how many jobs of a command share this machine at once."""
    name = launcher_name(hydra)
    options: Any = OmegaConf.to_container(hydra.launcher, resolve=True)
    if name == "joblib":
        given = int(options["n_jobs"])
        return max(1, given if given > 0 else cores() + 1 + given)
    if name == "submitit_local":
        return int(hydra.sweeper.get("max_batch_size") or cores())
    if name == "ray":
        there = options["ray"]["init"].get("num_cpus") or cores()
        return max(1, int(there / (options["ray"]["remote"].get("num_cpus") or 1)))
    return 1  # Slurm gives every job cores of its own


def job_context() -> JobContext:
    """Return the running job's place in its command."""
    from softres.harness.job import JobContext

    hydra = HydraConfig.get()
    single = hydra.mode == RunMode.RUN
    command = Path(hydra.run.dir if single else hydra.sweep.dir)
    folder = Path(hydra.runtime.output_dir)
    number = 0 if single else int(hydra.job.num)
    if not single and str(hydra.sweep.subdir).isdecimal():  # a launcher got only those left
        number = int(hydra.sweep.subdir)
    return JobContext(
        folder=folder,
        number=number,
        sweep=command.name,
        overrides=tuple(hydra.overrides.task),
        launcher=SERIAL[0] if single else launcher_name(hydra),
        workers=1 if single else workers(hydra),
        single=single,
    )
