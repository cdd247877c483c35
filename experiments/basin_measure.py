"""The largest distances from x* at which Newton's method still works: what is measured."""

from __future__ import annotations

from math import log10, sqrt
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from experiments._basin import Near, Radius, largest_radius, local_radius
from softres.certify import find_minimiser
from softres.data.spectrum import spectrum
from softres.data.synthetic import SyntheticOptions, make_synthetic
from softres.data.weights import WeightOptions, squared_weight
from softres.harness.probe import ProbeContext
from softres.matrices import as_matrix
from softres.problems import make_problem
from softres.solvers.approx_newton import ApproxNewton
from softres.theory.predictions import log10_lipschitz_recalled

if TYPE_CHECKING:
    from softres.data.instance import Instance

__all__ = ["measure"]


def measure(context: ProbeContext) -> pd.DataFrame:
    """Measure the radii of every instance and direction, for one seed and R."""
    settings, options = context.settings, context.settings.experiment
    R = settings.R
    assert R is not None  # synthetic data always have it
    tables = []
    for structure in options["structures"]:
        data = SyntheticOptions(**structure)
        instance = make_synthetic(settings.n, settings.d, R, settings.seed, data)
        singular = spectrum(as_matrix(instance.A))
        bare = make_problem("softres", instance.A, instance.b)
        for level in options["levels"]:
            theorem = level == "theorem"
            rule = (
                WeightOptions("theorem", constant=settings.weights.constant, l=settings.weights.l)
                if theorem
                else WeightOptions("relative", float(level))
            )
            w2 = squared_weight(rule, bare, singular.sigma_min)
            facts = {"R": R, "rows": data.rows, "level": str(level), "inside": theorem}
            rows = _instance(context, instance, R, w2)
            tables.append(pd.DataFrame([facts | row for row in rows]))
    return pd.concat(tables, ignore_index=True)


def _instance(context: ProbeContext, instance: Instance, R: float, w2: float) -> list[Any]:
    settings, options = context.settings, context.settings.experiment
    problem = make_problem("softres", instance.A, instance.b, sqrt(w2))
    x, certificate = find_minimiser(problem, problem.zeros())
    near = Near(problem, x, ApproxNewton(eps0=float(options["eps0"])), settings.seed)
    directions = near.directions(int(options["random"]), context.rng("directions"))
    l = certificate.smallest_eigenvalue  # noqa: E741 - the paper's letter
    scale = 1.0 / R
    log_alpha = problem.at(x).log_alpha
    proven = log10(0.1 * l) - log10_lipschitz_recalled(problem.n, R, log_alpha)
    rows: list[dict[str, Any]] = []
    for kind, p in directions:
        radii = _radii(near, p, scale)
        row: dict[str, Any] = {"kind": kind}
        for name, radius in radii.items():
            row |= {name: radius.value, f"{name}_open": radius.open}
        rows.append(row)
    local, M = local_radius(near, [p for _, p in directions], scale, l)
    worst = min(range(len(rows)), key=lambda k: rows[k]["approx_l2"])
    context.keep("worst", A=instance.A, b=instance.b, w2=w2, x=x, p=directions[worst][1])
    shared = {
        "certified": certificate.certified,
        "norm_x": float(np.linalg.norm(x)),
        "l": l,
        "M": M,
        "log10_recalled": proven,
        "log10_local": log10(local) if local > 0 else -float("inf"),
        # Starts nearer to x* than this are x* itself in double precision.
        "log10_spacing": log10(float(np.finfo(float).eps) * float(np.linalg.norm(x))),
    }
    return [shared | row for row in rows]


def _radii(near: Near, p: Any, scale: float) -> dict[str, Radius]:
    def one_step(norm: str, *, exact: bool) -> Radius:
        return largest_radius(lambda r: near.contracts(p, r, norm, exact=exact), scale)

    return {
        "exact_H": one_step("H", exact=True),
        "exact_l2": one_step("l2", exact=True),
        "approx_H": one_step("H", exact=False),
        "approx_l2": one_step("l2", exact=False),
        "converges": largest_radius(lambda r: near.converges(p, r), scale),
    }
