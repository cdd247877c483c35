"""Lemma 8.2, measured: the largest norms of the basic quantities that an adversary finds."""

from __future__ import annotations

import pandas as pd

from experiments.claims.bounds.bounded_measure import Bounds, measure_bounded
from experiments.claims.bounds.quantities import LEMMA_NORMS
from experiments.claims.bounds.regions import Setting
from softres.harness.probe import ProbeContext
from softres.theory.bounds import Region, basic_bounds, recalled_bounds

__all__ = ["measure"]


def measure(context: ProbeContext) -> pd.DataFrame:
    """Return the largest norm found of each quantity, one row a quantity and matrix."""

    def bounds(setting: Setting) -> Bounds:
        n, R, beta = len(setting.A), setting.R, setting.beta
        return (
            basic_bounds(Region.worst(n, R, beta)),
            basic_bounds(Region.of(setting.A, R, beta)),
            recalled_bounds(n, R, beta),
        )

    return measure_bounded(context, 1, lambda setting: LEMMA_NORMS, bounds)
