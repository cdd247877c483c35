"""Exact Newton on soft-residual, softmax and ResNet-style regression over the same A and b."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING, Any

import pandas as pd

from experiments.kit.labels import PROBLEM_LABELS
from softres.certification.minimiser import find_minimiser
from softres.data.sets import digits
from softres.data.sets.synthetic import Synthetic, make_synthetic
from softres.data.weights import squared_weight
from softres.harness.probe import ProbeContext
from softres.linalg.factors import spectral
from softres.linalg.spectrum import spectrum
from softres.matrices import as_matrix
from softres.problems import make_problem
from softres.problems.reference import Reference
from softres.solvers import solve

if TYPE_CHECKING:
    from softres.data.instance import Instance

__all__ = ["EPS", "measure"]


#: Relative error at which a problem counts as solved.
EPS = 1e-10


def measure(context: ProbeContext) -> pd.DataFrame:
    """Solve every problem on every instance of one seed."""
    settings = context.settings
    rows: list[dict[str, Any]] = []
    for kind, R, instance in _instances(context):
        for name in PROBLEM_LABELS:
            bare = make_problem(name, instance.A, instance.b)
            sigma_min = spectrum(as_matrix(instance.A)).sigma_min
            w2 = squared_weight(settings.weights, bare, sigma_min)
            row = _solve(name, instance, w2, settings.seed)
            n, d = instance.shape
            rows.append({"kind": kind, "R": R, "n": n, "d": d, "problem": name} | row)
    return pd.DataFrame(rows)


def _instances(context: ProbeContext) -> list[tuple[str, float, Instance]]:
    settings = context.settings
    found: list[tuple[str, float, Instance]] = []
    for structure in settings.experiment["structures"]:
        data = Synthetic(**structure)
        for R in settings.experiment["sizes"]:
            made = make_synthetic(settings.n, settings.d, float(R), settings.seed, data)
            name = f"{data.rows}, condition {data.condition:g}, R = {R:g}"
            found.append((name, float(R), made))
    if settings.seed == 0:  # real data do not depend on the seed
        found.append(("digits", float("nan"), digits.load()))
    return found


def _solve(name: str, instance: Instance, w2: float, seed: int) -> dict[str, Any]:
    problem = make_problem(name, instance.A, instance.b, sqrt(w2))
    x, certificate = find_minimiser(problem, problem.start())
    reference = Reference(problem, x, certificate)
    conditions: list[float] = []
    negative: list[int] = []

    def look_at(row: Any, point: Any) -> None:
        factor = spectral(point.hessian())
        if factor is not None:
            negative.append(factor.negative)
            if factor.negative == 0 and factor.smallest > 0:
                conditions.append(float(factor.values[-1]) / factor.smallest)

    result = solve(
        problem, "exact_newton", eps=EPS, seed=seed, reference=reference, callback=look_at
    )
    last = result.rows[-1]
    start, best = result.rows[0]["loss"], reference.point.value
    return {
        "certified": certificate.certified,
        "condition": certificate.largest_eigenvalue / certificate.smallest_eigenvalue
        if certificate.smallest_eigenvalue > 0
        else float("inf"),
        "condition_on_path": max(conditions, default=float("nan")),
        "indefinite": max(negative, default=0),
        "steps": result.steps,
        "passes": last["passes"],
        "seconds": result.seconds["solve"],
        "converged": result.status.success,
        "error": last["relative_error_l2"],
        "gap": max(0.0, (last["loss"] - best) / (start - best)) if start > best else 0.0,
    }
