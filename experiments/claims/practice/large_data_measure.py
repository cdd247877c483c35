"""Every solver that can afford it on a real instance, and what the instance is like."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from experiments.claims.practice.one_solve import instance_columns, residuals, solve_once
from softres.data.sets.attention import AttentionSmolLM2
from softres.harness.probe import ProbeContext
from softres.linalg.definite import DENSE_COLUMNS
from softres.linalg.nullspace import null_basis
from softres.problems import make_problem
from softres.solvers import solve

__all__ = ["DEFAULT", "measure"]


#: The solver that a user gets.
DEFAULT = "preconditioned_newton"


def measure(context: ProbeContext) -> pd.DataFrame:
    """Solve one problem on one instance with every solver that can afford it; a row a solver."""
    settings, prepared = context.settings, context.prepared
    options, instance = settings.experiment, prepared.instance
    common: dict[str, Any] = {"data": instance.name, "problem": settings.problem}
    common |= instance_columns(prepared, settings.R, settings.weights)
    if isinstance(settings.data, AttentionSmolLM2) and settings.problem == "softmax":
        common |= _recovered(settings.data, settings.R, settings.seed)
    null = null_basis(prepared.problem.matrix)
    rows: list[dict[str, Any]] = []
    traces: dict[str, Any] = {}
    for name in options["solvers"]:
        if name in options["small_only"] and instance.shape[1] > DENSE_COLUMNS:
            continue
        limit = float(options["time_limit"])
        eps = float(options["eps"])
        row, traces[name] = solve_once(prepared, null, name, eps, limit, settings.seed)
        rows.append(common | row)
    context.keep("traces", **traces)
    best = prepared.problem.at(prepared.minimiser)
    context.keep("rows", **residuals(instance, best), x=prepared.minimiser)
    return pd.DataFrame(rows)


def _recovered(data: AttentionSmolLM2, R: float | None, seed: int) -> dict[str, float]:
    """Fit one head's attention, which a query fits exactly, and compare it with that query."""
    one = replace(data, query="0")
    instance = one.load(*one.size(None, None, R), R, seed)
    problem = make_problem("softmax", instance.A, instance.b)
    result = solve(problem, DEFAULT, eps=1e-12, max_steps=1000)
    truth = np.asarray(instance.planted)
    distance = float(np.linalg.norm(np.asarray(result.x) - truth))
    return {"query_error": distance / float(np.linalg.norm(truth)), "query_steps": result.steps}
