"""Lemmas 8.1 and 8.4 to 8.8, measured: the largest |H(x) - H(y)| / |x - y| that is found."""

from __future__ import annotations

from math import log
from typing import Any

import pandas as pd

from experiments.claims.bounds.adversary import WorstCase
from experiments.claims.bounds.bounded_measure import Bounds, measure_bounded
from experiments.claims.bounds.quantities import PointBatch, matrix_parts
from experiments.claims.bounds.regions import Setting
from softres.harness.probe import ProbeContext
from softres.theory.bounds import Region
from softres.theory.lipschitz import CURVATURE, hessian_lipschitz
from softres.theory.predictions import log10_lipschitz_recalled

__all__ = ["measure"]


def _figures(setting: Setting) -> dict[str, Any]:
    import torch

    A = torch.tensor(setting.A)

    def spectral(name: str) -> Any:
        def norm(x: PointBatch, y: PointBatch) -> Any:
            difference = matrix_parts(x, name, A) - matrix_parts(y, name, A)
            return torch.linalg.eigvalsh(torch.nan_to_num(difference)).abs().amax(-1)

        return norm

    return {name: spectral(name) for name in CURVATURE}


def measure(context: ProbeContext) -> pd.DataFrame:
    """Return the largest |H(x) - H(y)| / |x - y| found, and of its three parts, by matrix."""

    def bounds(setting: Setting) -> Bounds:
        n, R, beta = len(setting.A), setting.R, setting.beta
        return (
            hessian_lipschitz(Region.worst(n, R, beta), R),
            hessian_lipschitz(Region.of(setting.A, R, beta), setting.norm),
            {},
        )

    def complete(setting: Setting, case: WorstCase, row: dict[str, Any]) -> None:
        if row["part"] == "H":  # in logarithms all along: M exceeds doubles from R = 6 on
            n = len(setting.A)
            row["recalled"] = log10_lipschitz_recalled(n, setting.R, log(setting.beta))

    return measure_bounded(context, 2, _figures, bounds, complete)
