"""The condition of the Hessian at the minimiser, by depth, with and without skip connections."""

from __future__ import annotations

from itertools import product
from math import inf, log10, sqrt
from typing import Any

import pandas as pd

from softres.certification.minimiser import find_minimiser
from softres.data.sets.synthetic import Synthetic, make_synthetic
from softres.data.weights import WeightOptions, squared_weight
from softres.harness.probe import ProbeContext
from softres.problems.multilayer import MultiLayerRegression

__all__ = ["measure"]


def measure(context: ProbeContext) -> pd.DataFrame:
    """Solve the same instances at every depth, from x = 0."""
    settings, options = context.settings, context.settings.experiment
    rows: list[dict[str, Any]] = []
    for R in options["sizes"]:
        made = make_synthetic(settings.n, settings.d, float(R), settings.seed, Synthetic())
        cases = product(options["weights"], (True, False), options["depths"])
        for weight, skip, depth in cases:
            bare = MultiLayerRegression(made.A, made.b, layers=depth, skip=skip)
            w2 = squared_weight(WeightOptions(value=float(weight)), bare, 0.0)
            problem = MultiLayerRegression(made.A, made.b, sqrt(w2), layers=depth, skip=skip)
            x, found = find_minimiser(problem, problem.start())
            low, high = found.smallest_eigenvalue, found.largest_eigenvalue
            point, start = problem.at(x), problem.at(problem.start())
            rows.append(
                {
                    "R": float(R),
                    "weight": float(weight),
                    "skip": skip,
                    "depth": int(depth),
                    "log_condition": log10(high / low) if low > 0 else inf,
                    "certified": found.certified,
                    "data_loss": point.data_value / start.data_value,
                }
            )
    return pd.DataFrame(rows)
