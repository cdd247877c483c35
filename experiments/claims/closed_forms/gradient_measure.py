"""Lemma 4.1, measured: relative errors of the closed form of the gradient."""

from __future__ import annotations

import pandas as pd

from experiments.claims.closed_forms.derivative_errors import measure_errors
from experiments.claims.closed_forms.formulas import first_derivatives
from softres.harness.probe import ProbeContext

__all__ = ["measure"]


def measure(context: ProbeContext) -> pd.DataFrame:
    """Return relative errors of the closed forms, one row a case and part."""
    return measure_errors(context, first_derivatives, second=False)
