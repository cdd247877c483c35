"""One job: check, skip or prepare, solve, record."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

from softres.common.errors import InputError
from softres.harness import records
from softres.harness.description import describe
from softres.harness.keys.identity import job_key, reproducing_command, run_name
from softres.harness.outcome import JobOutcome, write_outcome
from softres.harness.plan import plan
from softres.harness.probe import Probe, measure
from softres.harness.resources.estimates import check_memory
from softres.harness.resources.memory import PeakMemory, memory_limited
from softres.harness.settings import Settings
from softres.harness.skipping import ALONE, begun, instance, predicted, skip, with_sweep
from softres.harness.solving import tracked_solve
from softres.harness.terminal import console
from softres.harness.terminal.failures import show_failure
from softres.harness.terminal.opening import show_job
from softres.matrices.backends import BackendOptions
from softres.solvers import Result
from softres.tracking import DESCRIPTION, RunLog, Store, environment, open_store
from softres.tracking.durable.turns import turn
from softres.tracking.environment import cores
from softres.tracking.options import without_secrets

__all__ = ["JobContext", "run_job"]

#: Top-level keys that are no parameters of a run: where it is recorded, and how it was asked for.
NOT_RECORDED = ("tracking", "force", "sweep", "memory_limit")


@dataclass(frozen=True)
class JobContext:
    """Where a job stands in its command.

    Attributes
    ----------
    folder
        The job's output folder.
    number
        Its number in the sweep, 0 for a single run.
    sweep
        Name of the sweep or run, shared by its jobs.
    overrides
        What the command line changed, for the job's headline.
    launcher
        Name of Hydra's launcher.
    workers
        Jobs that share this machine at once.
    single
        Whether the command has this one job only.
    """

    folder: Path
    number: int
    sweep: str
    overrides: tuple[str, ...]
    launcher: str
    single: bool
    workers: int = 1


def run_job(settings: Settings, context: JobContext, probe: Probe | None = None) -> JobOutcome:
    """Run one job to its end, whatever it is, and write its outcome.

    With a probe the job is its measurement, otherwise a solve.

    An error is reported at once and kept in the outcome; in a sweep the next job goes on. Bad
    input of a single run ends the command with status 2.
    """
    settings, began = with_sweep(settings, context), time.perf_counter()
    name, command = run_name(settings, context.overrides), reproducing_command(context.overrides)
    try:
        outcome = _run(settings, context, name, probe)
    except InputError as error:
        if context.single:
            print(f"softres: {error}", file=sys.stderr)
            raise SystemExit(2) from None
        outcome = _failed(settings, context, name, error)
    except Exception as error:
        outcome = _failed(settings, context, name, error)
    seconds = None if outcome.status == "skipped" else time.perf_counter() - began
    outcome = replace(outcome, seconds=seconds, command=command)
    write_outcome(context.folder, outcome)
    return outcome


def _failed(settings: Settings, context: JobContext, name: str, error: Exception) -> JobOutcome:
    note = show_failure(f"job {context.number + 1} ({name})", error)
    solver = settings.solver.name
    return JobOutcome(context.number, name, "failed", note=note, solver=solver, ok=False)


def _run(settings: Settings, context: JobContext, name: str, probe: Probe | None) -> JobOutcome:
    key = job_key(settings, probe)
    store = open_store(settings.tracking, patient=True)
    outcome = begun(settings, context, name, store.experiment_id)
    show_job(settings, context, name)
    turns = nullcontext() if settings.force else turn(store.options, key, console.show_line)
    with turns:
        finished = plan(settings, store.find_finished(key)).finished
        if finished is not None:
            store.join_sweep(finished)
            return skip(settings, outcome, finished)
        check_memory(settings)
        return _do(settings, context, store, probe, outcome, key)


def _do(
    settings: Settings,
    context: JobContext,
    store: Store,
    probe: Probe | None,
    outcome: JobOutcome,
    key: str,
) -> JobOutcome:
    """Measure or solve, and record it."""
    name, started, memory = outcome.name, time.perf_counter(), PeakMemory()
    parameters = records.flat({k: v for k, v in settings.tree.items() if k not in NOT_RECORDED})
    found: dict[str, str] = {}
    for line in settings.data.remarks():
        console.show_text(f"  {line}", style="dim")

    def start_run(more: Mapping[str, str]) -> RunLog:
        found.update(more)
        # Within the limits of the job: the tags say how many threads it has.
        return store.start_run(name, parameters, {**_tags(settings, context, key), **more})

    def close(run: RunLog, result: Result | None) -> None:
        taken = {"job_seconds": time.perf_counter() - started}
        if memory.gib is not None:
            taken["peak_memory_gib"] = memory.gib
        run.metrics(taken)
        run.tags({DESCRIPTION: describe(settings, reproducing_command(context.overrides), result)})

    with _share(settings.backend, context.workers).limited(), memory_limited(settings.memory_limit):
        if probe is not None:
            with start_run({}) as run:
                measure(settings, probe, run)
                close(run, None)
            console.show_line("  measured", style="green")
            return replace(outcome, status="measured")
        result = tracked_solve(settings, name, start_run, close)
    for line in result.warnings:
        console.show_text(f"  warning: {line}", style="yellow")
    last, seconds = result.rows[-1], result.seconds["solve"]
    error = last["relative_error_l2"]
    console.show_line(
        f"  {result.status.value} after {result.steps} steps, {seconds:.3g} s, "
        f"error {console.error_text(error)}",
        style="green" if result.status.success else "yellow",
    )
    return replace(
        outcome,
        status=result.status.value,
        steps=result.steps,
        predicted=predicted(settings, found),
        solve_seconds=seconds,
        passes=last["passes"],
        error=error,
        instance=instance(settings, found),
    )


def _share(backend: BackendOptions, workers: int) -> BackendOptions:
    """Return the backend with no more threads than its share of the cores."""
    if workers <= 1:
        return backend
    share = max(1, cores() // workers)
    return replace(backend, threads=min(backend.threads or share, share))


def _tags(settings: Settings, context: JobContext, key: str) -> dict[str, str]:
    """Tags that say what ran, on what, and how its times may be used."""
    configuration, _, code = key.partition("-")
    command = reproducing_command(context.overrides)
    return {
        **environment(),
        "key": key,
        "config_hash": configuration,
        "code_digest": code,
        "launcher": context.launcher,
        "timing_valid": str(context.launcher in ALONE).lower(),
        "forced": str(settings.force).lower(),
        "command": command,
        DESCRIPTION: describe(settings, command),
        "max_steps": str(settings.max_steps),
        "time_limit": str(settings.time_limit),
        "solved_problem": settings.problem,
        "overrides": without_secrets(" ".join(context.overrides)),
    }
