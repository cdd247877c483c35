"""A tracked solve: assumptions, warm-up, the solve itself, and its records."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import nullcontext

import pandas as pd

from softres.harness import records
from softres.harness.prepare import Prepared, on_backend, prepare
from softres.harness.settings import Settings
from softres.harness.terminal import console
from softres.harness.warm_up import warm_up
from softres.matrices.backends import as_numpy
from softres.problems.evaluation import Evaluation
from softres.problems.reference import Reference
from softres.solvers import Result, solve
from softres.solvers.result import Row
from softres.theory import Assumption, check_assumptions, predicted_steps
from softres.tracking import RunLog

__all__ = ["tracked_solve"]

#: Seconds between two reports of a running solve to MLflow.
REPORT_EVERY = 15.0


def tracked_solve(
    settings: Settings,
    name: str,
    start_run: Callable[[dict[str, str]], RunLog],
    close: Callable[[RunLog, Result | None], None],
) -> Result:
    """Prepare, check, warm up, solve and record one run.

    Parameters
    ----------
    settings
        The run.
    name
        Its name, for the progress shown.
    start_run
        Starts the run with further tags. Called once everything that can fail for its input has
        been done: what fails before leaves nothing in the store.
    close
        Adds to the records of a run that went well.
    """
    began = time.perf_counter()
    prepared = prepare(settings)
    prepare_seconds = time.perf_counter() - began
    checks = _check(settings, prepared)
    warm = warm_up(settings)
    problem = settings.solver.prepare(on_backend(prepared, settings))
    reference = Reference(problem, prepared.minimiser, prepared.certificate)
    rows: list[Row] = []
    with start_run(records.instance_tags(prepared, checks)) as run:
        records.keep_setting(run, settings)
        run.works_on(records.input_data(settings, prepared))
        try:
            result = _solve(settings, prepared, reference, run, name, rows)
        except BaseException:
            _keep_trace(run, rows)  # what a failed or interrupted solve had reached
            raise
        _record(settings, prepared, result, checks, run, warm, prepare_seconds)
        close(run, result)
    return result


def _check(settings: Settings, prepared: Prepared) -> list[Assumption]:
    problem = prepared.problem
    checks = check_assumptions(
        start=problem.at(prepared.x0),
        minimum=problem.at(prepared.minimiser),
        spectrum=prepared.spectrum,
        R=settings.R if settings.R is not None else prepared.spectrum.sigma_max,
        weights=settings.weights,
        smallest_eigenvalue=prepared.certificate.smallest_eigenvalue,
    )
    console.show_assumptions(checks, predicted_steps(settings.eps))
    if not prepared.certificate.certified:
        console.show_text(
            "warning: x* could not be certified (estimated relative error "
            f"{prepared.certificate.estimated_error:.1e}, "
            f"{prepared.certificate.negative} negative eigenvalues); errors are against the best "
            "point found",
            style="yellow",
        )
    return checks


def _solve(
    settings: Settings,
    prepared: Prepared,
    reference: Reference,
    run: RunLog,
    name: str,
    rows: list[Row],
) -> Result:
    """Solve; the rows of the trace are added to ``rows`` as they come."""
    last_report = time.monotonic()
    show = console.progress(name, settings.max_steps)
    with show if console.console.is_terminal else nullcontext(None) as update:

        def log(row: Row, point: Evaluation) -> None:
            nonlocal last_report
            rows.append(row)
            if update is not None:
                update(row, point)
            if time.monotonic() - last_report > REPORT_EVERY:
                _send_curves(run, rows, final=False)
                last_report = time.monotonic()

        return solve(
            reference.problem,
            settings.solver,
            prepared.x0,
            eps=settings.eps,
            max_steps=settings.max_steps,
            time_limit=settings.time_limit,
            seed=settings.seed,
            reference=reference,
            log=log,
        )


def _send_curves(run: RunLog, rows: list[Row], *, final: bool) -> None:
    trace = records.with_logarithms(pd.DataFrame(rows))
    run.curves(
        trace,
        seconds="solve_seconds",
        step="step",
        columns=records.curve_columns(trace),
        by_time=records.BY_TIME,
        final=final,
    )


def _keep_trace(run: RunLog, rows: list[Row]) -> None:
    if rows:
        _send_curves(run, rows, final=True)
        run.table(records.with_logarithms(pd.DataFrame(rows)))


def _record(
    settings: Settings,
    prepared: Prepared,
    result: Result,
    checks: list[Assumption],
    run: RunLog,
    warm: float,
    prepare_seconds: float,
) -> None:
    _send_curves(run, result.rows, final=True)
    metrics = records.final_metrics(settings, prepared, result, checks)
    run.metrics(metrics | {"warm_up_seconds": warm, "prepare_seconds": prepare_seconds})
    run.table(records.with_logarithms(result.trace))
    run.arrays("solution.npz", {"x": as_numpy(result.x)})
    run.tags({"status": result.status.value, "warnings": "; ".join(result.warnings)})
