"""Processor seconds of steps, of exact Newton and of the safeguarded Algorithm 1, over sizes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from time import process_time
from typing import Any

import pandas as pd

from softres.data.sets.synthetic import Synthetic
from softres.data.weights import weight
from softres.harness.probe import ProbeContext
from softres.linalg.spectrum import spectrum
from softres.matrices import as_matrix
from softres.problems import Problem, make_problem
from softres.solvers import make_solver, solve

__all__ = ["COMPARED_SOLVERS", "measure"]

COMPARED_SOLVERS = ("exact_newton", "approx_newton")
#: The theorem's steps: none goes on with what another one has computed.
EVERY_STEP = {"reuse": 1.0, "hold": 0.0}


def measure(context: ProbeContext) -> pd.DataFrame:
    """Time steps of both solvers over a grid of n and d, alternating between them.

    ``experiment.family`` names the grid; its sizes and the density of A stand in
    ``experiment.families``. No step is compared with x*, so nothing but the solver is needed.
    Every step of approximate Newton scores and samples, as in the theorem.

    Returns
    -------
    One row a step: ``n``, ``d``, ``nnz``, ``solver``, ``repetition``; ``seconds`` of this
    process's processor time, which other processes do not add to; ``seconds_<phase>`` of the
    clock on the wall; and ``rows_distinct`` where rows were sampled.
    """
    options = context.settings.experiment
    family = options["families"][options["family"]]
    rows: list[dict[str, Any]] = []
    for d in family["d"]:
        for n in family["n"]:
            problem = _problem(context, int(n), int(d), float(family["density"]))
            common = {"n": int(n), "d": int(d), "nnz": float(problem.matrix.nnz)}
            for repetition in range(int(options["repetitions"])):
                for solver in COMPARED_SOLVERS:
                    labels = common | {"solver": solver, "repetition": repetition}
                    rows += [row | labels for row in _steps(problem, solver, repetition, options)]
    return pd.DataFrame(rows)


def _problem(context: ProbeContext, n: int, d: int, density: float) -> Problem:
    """Return the run's problem at another size, with weights by the run's rule."""
    settings = context.settings
    assert isinstance(settings.data, Synthetic)
    data = replace(settings.data, density=density)
    instance = data.load(n, d, settings.R, settings.seed)
    bare = make_problem(settings.problem, instance.A, instance.b)
    theorem = settings.weights.name == "theorem"
    # No other rule asks for it, and it costs as much as a step.
    sigma_min = spectrum(as_matrix(instance.A)).sigma_min if theorem else 1.0
    w = weight(settings.weights, bare, sigma_min)
    return make_problem(settings.problem, instance.A, instance.b, w)


def _steps(
    problem: Problem, solver: str, seed: int, options: Mapping[str, Any]
) -> list[dict[str, float]]:
    """Return seconds of each step but the first, which warms caches and memory."""
    own = EVERY_STEP | {"eps0": float(options["eps0"])}
    stops: list[float] = []
    starts: list[float] = []

    def stop_and_start(row: Any, point: Any) -> None:
        stops.append(process_time())
        starts.append(process_time())

    result = solve(
        problem,
        make_solver(solver, **(own if solver == "approx_newton" else {})),
        eps=1e-15,
        max_steps=int(options["steps"]) + 1,
        seed=seed,
        callback=stop_and_start,
    )
    trace = result.trace
    phases = [column for column in trace if str(column).startswith("seconds_")]
    steps = trace[phases].fillna(0.0).diff()
    steps["seconds"] = [float("nan"), *(b - a for a, b in zip(starts, stops[1:], strict=False))]
    if "rows_distinct" in trace:
        steps["rows_distinct"] = trace["rows_distinct"]
    return [{str(k): float(v) for k, v in row.items()} for row in steps.iloc[2:].to_dict("records")]
