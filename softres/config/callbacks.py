"""What happens around a command's jobs: checks before the first, a closing table after the last."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hydra.errors import HydraException
from hydra.experimental.callback import Callback
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from softres.common.errors import InputError
from softres.config.console_entry import USAGE, one_line
from softres.config.jobs import Job, single_job, sweep_jobs
from softres.config.launching import (
    SERIAL,
    check_launcher,
    launcher_name,
    limit_batches,
    share_code,
)

__all__ = ["SoftresCallback"]


class SoftresCallback(Callback):
    """Checks every job of a sweep before its first one starts, and closes a command.

    Hydra swallows what a callback raises, except ``SystemExit``.
    """

    def on_multirun_start(self, config: DictConfig, **_: Any) -> None:
        """End with status 2 if any job of the sweep has a value that is not allowed."""
        with _one_line():
            check_launcher(config.hydra)
        if launcher_name(config.hydra) not in SERIAL:
            share_code()
            limit_batches(config.hydra)
        _begin(config, lambda: sweep_jobs(config))

    def on_run_start(self, config: DictConfig, **_: Any) -> None:
        """End with status 2 if a single run has a value that is not allowed."""
        _begin(config, lambda: [single_job(config)])

    def on_job_start(self, config: DictConfig, **_: Any) -> None:
        """Take passwords out of what Hydra has written down of the job."""
        from softres.tracking.options import without_secrets

        uri = config.tracking.get("uri") or ""
        if uri == without_secrets(uri):
            return
        output = Path(config.hydra.runtime.output_dir) / str(config.hydra.output_subdir)
        written = [*output.glob("*.yaml"), Path(config.hydra.sweep.dir) / "multirun.yaml"]
        for path in written:
            if path.is_file():
                path.write_text(without_secrets(path.read_text("utf-8")), encoding="utf-8")

    def on_run_end(self, config: DictConfig, **_: Any) -> None:
        """Close a single run."""
        _close(config, config.hydra.run.dir)

    def on_multirun_end(self, config: DictConfig, **_: Any) -> None:
        """Close a sweep."""
        _close(config, config.hydra.sweep.dir)


@contextmanager
def _one_line() -> Iterator[None]:
    try:
        yield
    except (InputError, HydraException, OmegaConfBaseException) as error:
        print(f"softres: {one_line(error)}", file=sys.stderr)
        raise SystemExit(USAGE) from None


def _begin(config: DictConfig, compose: Callable[[], Sequence[Job]]) -> None:
    """Check every job and its servers; show them and end here if that is all that is wanted."""
    from softres.config.claims import check_claim, probe_for
    from softres.config.settings import settings
    from softres.matrices.dask_matrix import connect
    from softres.tracking import open_store
    from softres.tracking.durable.outage import check_server

    with _one_line():
        # Of a whole sweep first: it may go through options that other data do not have.
        check_claim(config)
        jobs = []
        for job in compose():
            check_claim(job.config)
            jobs.append((settings(job.config), job.overrides))
        # Once it has answered, a server may go away: jobs keep their records and go on.
        for uri in {job.tracking.server for job, _ in jobs if job.tracking.server is not None}:
            check_server(uri)
        for address in {job.backend.address for job, _ in jobs if job.backend.address is not None}:
            connect(address)
        if config.sweep.dry_run:
            from softres.harness.terminal.dry_run import show_plan

            show_plan([(job, overrides, probe_for(job)) for job, overrides in jobs])
            raise SystemExit(0)
        # Nor is anything begun that its store will not take.
        every = (job.tracking for job, _ in jobs if job.tracking.enabled)
        for options in {options.place: options for options in every}.values():
            open_store(options, patient=True)


def _close(config: DictConfig, folder: str) -> None:
    from softres.harness.terminal.closing import close_command

    tracking: Any = OmegaConf.to_container(config.tracking, resolve=True)
    if not close_command(folder, tracking, list(config.hydra.overrides.task)):
        raise SystemExit(1)
