"""Lemma 5.2, measured: relative errors of the closed form of the hessian."""

from __future__ import annotations

import pandas as pd

from experiments.claims.closed_forms.derivative_errors import measure_errors
from experiments.claims.closed_forms.formulas import second_derivatives
from softres.harness.probe import ProbeContext

__all__ = ["measure"]


def measure(context: ProbeContext) -> pd.DataFrame:
    """Return relative errors of the closed forms, one row a case and part."""
    return measure_errors(context, second_derivatives, second=True)
