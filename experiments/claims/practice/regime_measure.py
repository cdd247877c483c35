"""Instances at every size of the weights, and how Newton's method fares: what is measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from experiments.claims.practice.frontier import THEOREM, WeightedInstance, measure_case
from softres.data.sets.synthetic import Synthetic, make_synthetic
from softres.data.weights import WeightOptions, squared_weight
from softres.harness.probe import ProbeContext
from softres.linalg.spectrum import spectrum
from softres.matrices import as_matrix
from softres.problems import make_problem

__all__ = ["NORMS", "measure"]

NORMS = ("H", "l2")


def measure(context: ProbeContext) -> pd.DataFrame:
    """Measure every structure of A at every size of the weights, for one seed and R."""
    settings = context.settings
    R = settings.R
    assert R is not None  # synthetic data always have it
    options = settings.weights
    rows = []
    for structure in settings.experiment["structures"]:
        chosen = dict(structure)
        n = int(chosen.pop("n", settings.n))
        data = Synthetic(**chosen)
        instance = make_synthetic(n, settings.d, R, settings.seed, data)
        singular = spectrum(as_matrix(instance.A))
        bare = make_problem("softres", instance.A, instance.b)
        rule = WeightOptions("theorem", constant=options.constant, l=options.l)
        wanted = squared_weight(rule, bare, singular.sigma_min)
        unit = squared_weight(WeightOptions("relative", 1.0), bare, singular.sigma_min)
        for level in (THEOREM, *settings.experiment["levels"]):
            w2 = wanted if level == THEOREM else float(level) * unit
            row = {
                "R": R,
                "n": n,
                "d": settings.d,
                "rows": data.rows,
                "condition": data.condition,
                "level": str(level),
                "relative": w2 / unit,
                "w2_over_theorem": w2 / wanted,
                "inside": level == THEOREM,
            }
            case = WeightedInstance(instance, singular, w2, R)
            seed, eps0 = settings.seed, float(settings.experiment["eps0"])
            rows.append(row | measure_case(case, seed, eps0, options.l))
            if level == THEOREM:
                _keep_worst(context, rows, case)
    return pd.DataFrame(rows)


def _keep_worst(
    context: ProbeContext, rows: Sequence[Mapping[str, Any]], case: WeightedInstance
) -> None:
    """Keep the last row's instance where it is the worst so far within the assumptions.

    One whose Hessian loses l on the path is worse than any factor.
    """
    inside = [row for row in rows if row["inside"]]
    for norm in NORMS:
        column = f"contraction_{norm}"
        badness = [(not row["strongly_convex"], row[column]) for row in inside]
        if badness[-1] == max(badness):
            data = case.instance
            context.keep(f"worst_{norm}", A=data.A, b=data.b, w2=case.w2, factor=rows[-1][column])
