"""The one loop that every solver runs in: it counts, stops, keeps the clocks and checks values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from math import isfinite
from typing import Any

import numpy as np

from softres.common.checks import shown
from softres.common.errors import InputError
from softres.matrices.backends import queue_of
from softres.problems import Problem
from softres.problems.evaluation import Evaluation
from softres.problems.reference import Reference
from softres.solvers.base import Solver, State, Tools, guarded_step
from softres.solvers.clock import Meter
from softres.solvers.optimality.judge import Judge
from softres.solvers.result import Result, Row, Status

__all__ = ["Callback", "iterate"]

#: Called after every step with the trace's row and the iterate; may return further columns.
Callback = Callable[[Row, Evaluation], Mapping[str, float] | None]

#: Steps without any change of the iterate's error after which a solve counts as stalled.
STALL_STEPS = 10


def iterate(
    problem: Problem,
    solver: Solver,
    x0: Any,
    *,
    eps: float,
    max_steps: int,
    time_limit: float | None,
    seed: int,
    callback: Callback | None,
    log: Callback | None,
    reference: Reference | None,
) -> Result:
    """Run a solver from x0 until it converges or has to stop; see :func:`softres.solve`."""
    meter = Meter(problem.matrix.counter, queue_of(problem.matrix))
    with meter.clock("solve"):
        start = problem.at(x0)
    if not start.inside:
        raise InputError(
            "the start x0 lies where the loss is undefined: alpha = <u, 1> must be at least "
            f"beta = {problem.beta:.3g} and all values finite; log(alpha) = {start.log_alpha:.3g}"
        )
    tools = Tools(start, meter, seed, eps, max_steps)
    record = _Recorder(meter, start, reference, callback, log)
    judge = Judge(start, eps, meter, reference, solver.resumes, helps=not solver.bare)
    with meter.clock("solve"), np.errstate(all="ignore"):
        state = solver.init(tools)
    steps = 0
    try:
        with meter.clock("solve"):
            _ = state.point.gradient
        rows = [record(0, state)]
        while True:
            status = _limit(state, rows, steps, max_steps, time_limit)
            with meter.clock("solve"), np.errstate(all="ignore"):
                judgement = judge(state, rows[-1], status)
                if judgement.escaped is not None:
                    # Whatever the solver knew, it knew of a place that led nowhere.
                    solver.close(state)
                    state = solver.init(replace(tools, start=judgement.escaped))
                    state = replace(state, info={"escaped": 1.0})
                elif judgement.status is None:
                    if judgement.point is not None:
                        state = replace(state, point=judgement.point)
                    previous = state.point
                    state = guarded_step(solver, state, tools)
                    if state.point is previous and state.status is None:
                        state = replace(state, status=Status.STALLED)
                _ = state.point.gradient  # the next step needs it: it is solver time, always
            if judgement.status is not None:
                if judgement.elsewhere and reference is not None:
                    here, there = state.point.value, reference.point.value
                    tools.warn(
                        f"{solver.name} has ended at another local minimiser than x*: the loss is "
                        f"{here:.6g} there, and {there:.6g} at x*"
                    )
                break
            if judgement.escaped is not None or state.point is not previous:
                steps += 1
                rows.append(record(steps, state))
    finally:
        solver.close(state)
    seconds = dict(meter.seconds)
    seconds["total"] = sum(seconds.values())
    return Result(state.point.x, judgement.status, steps, rows, seconds, tuple(tools.warnings))


def _limit(
    state: State, rows: list[Row], steps: int, max_steps: int, time_limit: float | None
) -> Status | None:
    """Return what ends the solve unless it has converged, or ``None`` while it goes on."""
    if not state.point.inside or not isfinite(rows[-1]["gradient_norm"]):
        return Status.DIVERGED
    if state.status is not None:
        return state.status
    if steps >= max_steps:
        return Status.STEP_LIMIT
    if time_limit is not None and rows[-1]["solve_seconds"] >= time_limit:
        return Status.TIME_LIMIT
    recent = [row["gradient_norm"] for row in rows[-STALL_STEPS:]]
    if len(recent) == STALL_STEPS and len(set(recent)) == 1:
        return Status.STALLED
    return None


def _new_columns(row: Row, returned: Mapping[str, float] | None) -> Mapping[str, float]:
    """Return the columns that a callback adds to a row; none of the row's own may be among them."""
    if returned is None:
        return {}
    if not isinstance(returned, Mapping):
        raise InputError(f"callback returned {shown(returned)}: allowed is a dict of columns")
    for column in returned:
        if column in row:
            raise InputError(f"callback returned {column}, a column of the trace: rename it")
    return returned


class _Recorder:
    """Makes the rows of the trace, on the evaluation clock, and hands them to the callbacks."""

    def __init__(
        self,
        meter: Meter,
        start: Evaluation,
        reference: Reference | None,
        callback: Callback | None,
        log: Callback | None,
    ) -> None:
        self.meter = meter
        self.callback = callback
        self.log = log
        self.reference = reference
        self.previous: dict[str, float] = {}
        self.scale: dict[str, float] = {}
        self.gradient0 = 0.0

    def __call__(self, step: int, state: State) -> Row:
        meter, point = self.meter, state.point
        with meter.clock("evaluate"):
            size = point.gradient_norm
            if step == 0:
                self.gradient0 = size
            row: Row = {
                "step": step,
                "solve_seconds": meter.seconds["solve"],
                "passes": meter.passes,
                "grams": meter.grams,
                "loss": point.value,
                "data_loss": point.data_value,
                "log_alpha": point.log_alpha,
                "gradient_norm": size,
                "relative_gradient": size / self.gradient0 if self.gradient0 > 0 else 0.0,
                "estimate": state.estimate,
                **state.info,
                **{f"seconds_{name}": value for name, value in meter.phases.items()},
            }
            if self.reference is not None:
                row |= self._errors(step, self.reference.errors(point))
            if self.callback is not None:
                row |= _new_columns(row, self.callback(dict(row), point))
        if self.log is not None:
            with meter.clock("log"):
                self.log(dict(row), point)
        return row

    def _errors(self, step: int, errors: Mapping[str, float]) -> Row:
        """Absolute and relative errors, and the factor by which the step contracted them."""
        row: Row = {}
        if step == 0:
            self.scale = dict(errors)
        for kind, error in errors.items():
            row[f"error_{kind}"] = error
            row[f"relative_error_{kind}"] = (
                error / self.scale[kind] if self.scale[kind] > 0 else 0.0
            )
            before = self.previous.get(kind, 0.0)
            row[f"contraction_{kind}"] = error / before if before > 0 else float("nan")
        self.previous = dict(errors)
        return row
