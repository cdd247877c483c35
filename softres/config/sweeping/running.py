"""The jobs of a sweep that is checked: which are finished, and which run in this process.

A job that runs here, one after the other, needs nothing of Hydra any more: its configuration has
been composed and checked. Hydra's own launchers compose each job again where it runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from omegaconf import DictConfig, OmegaConf

from softres.config.beginning import CheckedJob
from softres.config.launching import SERIAL, launcher_name, workers

if TYPE_CHECKING:
    from softres.harness.job import JobContext

__all__ = ["Numbered", "overrides_of", "run_here", "runs_here", "skip_jobs"]

#: The folder of a job as ``conf/`` has it; another one may depend on what Hydra alone knows.
FOLDER = "${hydra:job.num}"


class Numbered(NamedTuple):
    """A job and its number in the sweep, the first is 0."""

    number: int
    job: CheckedJob


def skip_jobs(hydra: DictConfig, jobs: Sequence[CheckedJob]) -> list[Numbered]:
    """Skip the jobs that their stores have finished; return those that are left."""
    every = [Numbered(number, job) for number, job in enumerate(jobs)]
    if not _is_numbered(hydra):
        return every  # each looks for itself
    from softres.config.claims import probe_for
    from softres.harness.skipping import skip_finished

    context = _context(hydra)
    skipped = skip_finished(
        [
            (job.settings, _of_job(context, numbered), probe_for(job.settings))
            for numbered in every
            for job in (numbered.job,)
        ]
    )
    return [numbered for numbered in every if numbered.number not in skipped]


def runs_here(hydra: DictConfig) -> bool:
    """Whether jobs run one after the other in this process, with nothing that Hydra does for each.

    That is a callback of the user's, a log, and variables of the environment.
    """
    ours = set(hydra.callbacks) <= {"softres"}
    silent = hydra.runtime.choices.get("hydra/job_logging") == "none"
    alone = launcher_name(hydra) in SERIAL and not hydra.job.env_set
    return _is_numbered(hydra) and ours and silent and alone


def run_here(hydra: DictConfig, jobs: Sequence[Numbered]) -> None:
    """Run jobs one after the other in this process."""
    from softres.config.claims import probe_for
    from softres.harness import run_job

    context = _context(hydra)
    for numbered in jobs:
        settings = numbered.job.settings
        own = _of_job(context, numbered)
        if hydra.output_subdir is not None:
            _write(own.folder / str(hydra.output_subdir), numbered.job)
        run_job(settings, own, probe_for(settings))


def overrides_of(hydra: DictConfig, place: int, numbered: Numbered) -> list[str]:
    """Return what a launcher is given for a job that comes at a place among those left.

    Launchers number what they get; a job keeps its own number by the name of its folder.
    """
    own = [] if numbered.number == place else [f"hydra.sweep.subdir='{numbered.number}'"]
    return [*numbered.job.overrides, *own]


def _is_numbered(hydra: DictConfig) -> bool:
    sweep: Any = OmegaConf.to_container(hydra.sweep, resolve=False)
    return bool(sweep["subdir"] == FOLDER)


def _context(hydra: DictConfig) -> JobContext:
    """Return the place of the sweep's jobs, without what is each job's own."""
    from softres.harness.job import JobContext

    folder = Path(hydra.sweep.dir).absolute()
    return JobContext(
        folder=folder,
        number=0,
        sweep=folder.name,
        overrides=(),
        launcher=launcher_name(hydra),
        workers=workers(hydra),
        single=False,
    )


def _of_job(context: JobContext, numbered: Numbered) -> JobContext:
    from dataclasses import replace

    number, job = numbered
    return replace(
        context, folder=context.folder / str(number), number=number, overrides=job.overrides
    )


def _write(folder: Path, job: CheckedJob) -> None:
    """Write down the configuration of a job and what the command line changed, as Hydra does."""
    import yaml

    from softres.harness.records import as_yaml
    from softres.tracking.options import without_secrets

    folder.mkdir(parents=True, exist_ok=True)
    changed = yaml.safe_dump([without_secrets(text) for text in job.overrides])
    (folder / "config.yaml").write_text(as_yaml(job.settings), encoding="utf-8")
    (folder / "overrides.yaml").write_text(changed, encoding="utf-8")
