"""Lemma 7.1, measured: the curvature's parts and the weight that makes H >= l I, at their worst."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from experiments.claims.bounds.adversary import WorstCase
from experiments.claims.bounds.bounded_measure import Bounds, log, measure_bounded
from experiments.claims.bounds.quantities import PointBatch, matrix_parts
from experiments.claims.bounds.regions import Setting
from softres.harness.probe import ProbeContext
from softres.problems import make_problem
from softres.theory.bounds import Region
from softres.theory.curvature_bounds import curvature_bounds, smallest_weight, sufficient_weight

__all__ = ["measure"]


def _figures(setting: Setting) -> dict[str, Callable[[PointBatch], Any]]:
    import torch

    Q = torch.linalg.qr(torch.tensor(setting.A))[0]

    def eigenvalues(point: PointBatch, name: str, frame: Any = None) -> Any:
        return torch.linalg.eigvalsh(torch.nan_to_num(matrix_parts(point, name, frame)))

    def size(name: str) -> Callable[[PointBatch], Any]:
        return lambda point: eigenvalues(point, name).abs().amax(-1)

    # "w^2": only the pencil of A^T (B - W^2) A with A^T A counts, B - W^2 on the range of A.
    return {
        "B1": size("B1"),
        "B2": size("B2"),
        "B3": size("B3"),
        "-B": lambda point: -eigenvalues(point, "H")[..., 0],
        "w^2": lambda point: -eigenvalues(point, "H", Q)[..., 0],
    }


def measure(context: ProbeContext) -> pd.DataFrame:
    """Return the largest figure found of each part, one row a part and matrix."""
    weights = context.settings.weights

    def weight_for(setting: Setting) -> Callable[[float], float]:
        sigma_min = float(np.linalg.svd(setting.A, compute_uv=False)[-1])
        return lambda lowest: sufficient_weight(-lowest, sigma_min, weights.l)

    def bounds(setting: Setting) -> Bounds:
        n, R, beta = len(setting.A), setting.R, setting.beta
        weight = weight_for(setting)
        worst = curvature_bounds(Region.worst(n, R, beta))
        instance = curvature_bounds(Region.of(setting.A, R, beta))
        return (
            worst | {"w^2": weight(worst["-B"])},
            instance | {"w^2": weight(instance["-B"])},
            {"-B": weights.constant, "w^2": weight(weights.constant)},
        )

    def complete(setting: Setting, case: WorstCase, row: dict[str, Any]) -> None:
        row.update(_at_point(setting, case, row, weight_for(setting), weights.l))

    return measure_bounded(context, 1, _figures, bounds, complete)


def _at_point(
    setting: Setting,
    case: WorstCase,
    row: Mapping[str, Any],
    weight: Callable[[float], float],
    l: float,  # noqa: E741
) -> dict[str, float]:
    """Return what the library says at the point: B1's and H's eigenvalues, and the sharp w^2."""
    problem = make_problem("softres", setting.A, case.b, beta=setting.beta)
    point = problem.at(case.x)
    n = problem.n
    gauss_newton = np.stack([point.gauss_newton.apply(y) for y in np.eye(n)])
    values = np.linalg.eigvalsh(gauss_newton)
    result = {"lowest_B1": float(values[0] / values[-1])}
    if row["part"] == "w^2":
        needed, pencil = smallest_weight(setting.A, np.asarray(point.hessian()), l)
        result |= {"measured": log(needed), "certain": log(max(0.0, weight(-pencil)))}
    return result
