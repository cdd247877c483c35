"""Lemma 8.3, measured: the largest quotients of the basic quantities that are found."""

from __future__ import annotations

import pandas as pd

from experiments.claims.bounds.bounded_measure import Bounds, measure_bounded
from experiments.claims.bounds.quantities import DIFFERENCES
from experiments.claims.bounds.regions import Setting
from softres.harness.probe import ProbeContext
from softres.theory.bounds import Region
from softres.theory.lipschitz import basic_lipschitz, recalled_lipschitz

__all__ = ["measure"]


def measure(context: ProbeContext) -> pd.DataFrame:
    """Return the largest quotient found for each quantity, one row a quantity and matrix."""

    def bounds(setting: Setting) -> Bounds:
        n, R, beta = len(setting.A), setting.R, setting.beta
        return (
            basic_lipschitz(Region.worst(n, R, beta), R, R),
            basic_lipschitz(Region.of(setting.A, R, beta), setting.norm, setting.row),
            recalled_lipschitz(n, R, beta),
        )

    return measure_bounded(context, 2, lambda setting: DIFFERENCES, bounds)
