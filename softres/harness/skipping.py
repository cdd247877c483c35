"""Jobs that are finished already: skipped one by one, or all of a sweep before any is launched."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from softres.harness.keys.identity import job_key, reproducing_command, run_name
from softres.harness.outcome import JobOutcome, write_outcome
from softres.harness.plan import plan
from softres.harness.probe import Probe
from softres.harness.settings import Settings
from softres.harness.terminal import console
from softres.harness.terminal.opening import show_job
from softres.theory import predicted_steps
from softres.tracking import StoredRun, TrackingOptions, open_store

if TYPE_CHECKING:
    from softres.harness.job import JobContext

__all__ = ["ALONE", "begun", "instance", "predicted", "skip", "skip_finished", "with_sweep"]

#: Launchers whose jobs have the machine to themselves, one after the other.
ALONE = ("serial", "basic")


def skip_finished(jobs: Sequence[tuple[Settings, JobContext, Probe | None]]) -> set[int]:
    """Skip the jobs that their stores have finished, each with its lines and its outcome.

    A store is asked once for all of them. Where it cannot be, no job is skipped here: each looks
    again when its turn comes.

    Returns
    -------
    The places of those that were skipped.
    """
    places: defaultdict[TrackingOptions, list[int]] = defaultdict(list)
    for place, (settings, context, _) in enumerate(jobs):
        if settings.tracking.enabled and not settings.force:
            places[with_sweep(settings, context).tracking].append(place)
    skipped = set()
    for options, members in places.items():
        store = open_store(options, patient=True)
        keys = {place: job_key(jobs[place][0], jobs[place][2]) for place in members}
        found = store.find_all_finished(keys.values())
        joined = []
        for place in members:
            finished = plan(jobs[place][0], found.get(keys[place], ())).finished
            if finished is None:
                continue
            settings, context, _ = jobs[place]
            name = run_name(settings, context.overrides)
            outcome = begun(with_sweep(settings, context), context, name, store.experiment_id)
            show_job(settings, context, name)
            outcome = skip(settings, outcome, finished)
            command = reproducing_command(context.overrides)
            write_outcome(context.folder, replace(outcome, command=command))
            joined.append(finished)
            skipped.add(place)
        store.join_sweep_at_once(joined)
    return skipped


def with_sweep(settings: Settings, context: JobContext) -> Settings:
    """Return settings that name the sweep: the command's, where they name none."""
    tracking = settings.tracking
    if tracking.sweep is not None:
        return settings
    return replace(settings, tracking=replace(tracking, sweep=context.sweep))


def begun(settings: Settings, context: JobContext, name: str, experiment_id: str) -> JobOutcome:
    """Return the outcome of a job as far as it is known when it begins."""
    uri, folder, experiment = settings.tracking.place
    return JobOutcome(
        context.number,
        name,
        "skipped",
        experiment_id=experiment_id,
        sweep=settings.tracking.sweep or "",
        uri=uri,
        folder=folder,
        experiment=experiment,
        solver=settings.solver.name,
        timed=context.launcher in ALONE,
    )


def skip(settings: Settings, outcome: JobOutcome, finished: StoredRun) -> JobOutcome:
    """Say that a job is skipped; return its outcome, with the figures of the run that it is."""
    note = f"run {finished.run_id[:8]}"
    console.show_line(f"  skipped, {note} has finished with this configuration and code")
    metrics, tags = finished.metrics, finished.tags
    steps = metrics.get("steps")
    return replace(
        outcome,
        steps=None if steps is None else int(steps),
        predicted=predicted(settings, tags),
        solve_seconds=metrics.get("solve_seconds"),
        passes=metrics.get("passes"),
        error=metrics.get("relative_error_l2"),
        instance=instance(settings, tags),
        ended=tags.get("status", ""),
        timed=tags.get("timing_valid") != "false",
        note=note,
    )


def predicted(settings: Settings, tags: Mapping[str, str]) -> int | None:
    """Return the theorem's number of steps, where its assumptions hold."""
    return predicted_steps(settings.eps) if tags.get("regime") == "theorem" else None


def instance(settings: Settings, tags: Mapping[str, str]) -> str:
    """Return what was solved, and to which accuracy, from the tags of a run."""
    return f"{tags.get('instance', '')} to {settings.eps:g}"
