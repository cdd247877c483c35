"""Before the first job of a command: every one is checked, with the servers that they need."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from omegaconf import DictConfig

from softres.common.errors import InputError, MismatchError
from softres.config.jobs import Job, arguments_of
from softres.config.typed.command_line import as_written

if TYPE_CHECKING:
    from softres.harness.settings import Settings

__all__ = ["CheckedJob", "begin"]


class CheckedJob(NamedTuple):
    """A job that may begin, and the overrides that make it."""

    settings: Settings
    overrides: tuple[str, ...]


def begin(config: DictConfig, compose: Callable[[], Sequence[Job]]) -> list[CheckedJob]:
    """Check every job and its servers; show them and end here if that is all that is wanted.

    Parameters
    ----------
    config
        The command's.
    compose
        Makes its jobs.

    Returns
    -------
    The jobs to run. Of several, combinations that make no sense are left out, each kind with a
    line that says why.

    Raises
    ------
    InputError
        On the first value that is not allowed, or if no job makes sense.
    """
    from softres.config.claims import check_claim, probe_for
    from softres.config.settings import settings
    from softres.matrices.dask_matrix import connect
    from softres.tracking import open_store
    from softres.tracking.durable.outage import check_server

    # Of a whole sweep first: it may go through options that other data do not have.
    check_claim(config)
    jobs = compose()
    kept: list[CheckedJob] = []
    reasons: Counter[str] = Counter()
    for job in jobs:
        check_claim(job.config)
        try:
            kept.append(CheckedJob(settings(job.config), job.overrides))
        except MismatchError as error:
            if len(jobs) == 1:
                raise
            reasons[str(error)] += 1
    for reason, count in reasons.items():
        print(f"left out: {reason} ({count} {'job' if count == 1 else 'jobs'})", flush=True)
    if jobs and not kept:
        raise InputError("every job of the sweep was left out, see above")
    # Once it has answered, a server may go away: jobs keep their records and go on.
    checked = [job.settings for job in kept]
    for uri in {job.tracking.server for job in checked if job.tracking.server is not None}:
        check_server(uri)
    for address in {job.backend.address for job in checked if job.backend.address is not None}:
        connect(address)
    if config.sweep.dry_run:
        from softres.harness.terminal.dry_run import show_plan

        show_plan([(job, overrides, probe_for(job)) for job, overrides in kept])
        raise SystemExit(0)
    # Nor is anything begun that its store will not take.
    every = (job.tracking for job in checked if job.tracking.enabled)
    for options in {options.place: options for options in every}.values():
        open_store(options, patient=True)
    if kept:
        from softres.harness.terminal.opening import show_start
        from softres.tracking.options import without_secrets

        words = map(as_written, arguments_of(config))
        show_start([without_secrets(text) for text in words], len(kept))
    return kept
