"""Seconds of single steps, of exact Newton and of Algorithm 1, over sizes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pandas as pd

from softres.harness.probe import ProbeContext
from softres.problems import make_problem
from softres.solvers import make_solver, solve

__all__ = ["SOLVERS", "measure"]


SOLVERS = ("exact_newton", "approx_newton")


#: The theorem's steps: none goes on with what another one has computed.
EVERY_STEP = {"reuse": 1.0, "hold": 0.0}


def measure(context: ProbeContext) -> pd.DataFrame:
    """Time steps of both solvers over a family of sizes, alternating between them.

    The family varies one of n, d and nnz(A); ``experiment.family`` names it and its sizes stand
    in ``experiment.families``. No step is compared with x*, so nothing but the solver is needed.
    Every step of approximate Newton scores and samples, as in the theorem.

    Returns
    -------
    One row a step: ``size``, ``n``, ``d``, ``nnz``, ``seconds`` and ``seconds_<phase>``.
    """
    settings = context.settings
    options = settings.experiment
    family = options["families"][options["family"]]
    rows: list[dict[str, Any]] = []
    for size in family["sizes"]:
        n, d, density = int(family["n"]), int(family["d"]), 1.0
        if family["vary"] == "n":
            n = int(size)
        elif family["vary"] == "d":
            d = int(size)
        else:
            density = float(size)
        data = replace(settings.data, density=density)  # type: ignore[type-var]
        instance = data.load(n, d, settings.R, settings.seed)
        bare = make_problem(settings.problem, instance.A, instance.b)
        largest = float(bare.at(bare.start()).gauss_newton_diagonal.max())
        problem = make_problem(
            settings.problem, instance.A, instance.b, (settings.weights.value * largest) ** 0.5
        )
        common = {"n": n, "d": d, "nnz": float(instance.nnz)}
        spent, repetition = 0.0, 0
        # Short steps are the noisiest, and the cheapest to repeat.
        while repetition < int(options["repetitions"]) or spent < float(options["seconds"]):
            for solver in SOLVERS:
                own = EVERY_STEP | {"eps0": float(options["eps0"])}
                extra = own if solver == "approx_newton" else {}
                result = solve(
                    problem,
                    make_solver(solver, **extra),
                    eps=1e-15,
                    max_steps=int(options["steps"]) + 1,
                    seed=repetition,
                )
                labels = common | {"solver": solver, "repetition": repetition}
                rows += [row | labels for row in _steps(result.trace)]
                spent += result.seconds["solve"]
            repetition += 1
    return pd.DataFrame(rows)


def _steps(trace: pd.DataFrame) -> list[dict[str, float]]:
    """Return seconds of each step but the first, which warms caches and memory."""
    columns = ["solve_seconds", *(c for c in trace if str(c).startswith("seconds_"))]
    differences = trace[columns].fillna(0.0).diff().iloc[2:]
    steps = differences.rename(columns={"solve_seconds": "seconds"})
    if "rows_distinct" in trace:
        steps = steps.assign(rows_distinct=trace["rows_distinct"].iloc[2:])
    return [{str(k): float(v) for k, v in row.items()} for row in steps.to_dict("records")]
