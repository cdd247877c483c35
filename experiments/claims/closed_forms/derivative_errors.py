"""The measurement that the claims on the gradient and on the Hessian share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from experiments.claims.closed_forms.formulas import MODELS, chain_values
from experiments.claims.closed_forms.references import (
    ProblemPoint,
    autodiff,
    has_mpmath,
    multiprecision,
    problem_points,
    relative_error,
)
from softres.harness.probe import ProbeContext

__all__ = ["measure_errors"]

Chain = Callable[[Any, Any, Any, Any], dict[str, Any]]


def measure_errors(context: ProbeContext, chain: Chain, *, second: bool) -> pd.DataFrame:
    """Return relative errors, one row a case and part.

    Parts are the problems, in the library's own closed form, and for soft-residual regression the
    functions of the lemma's chain. ``exact`` of the ``experiment.cases`` of a problem are compared
    with 60-digit arithmetic as well.
    """
    found: list[dict[str, Any]] = []
    worst = -1.0
    exact = int(context.settings.experiment["exact"])
    for model in MODELS:
        for number, case in enumerate(problem_points(context, model)):
            point = case.problem.at(case.x)
            own = point.hessian() if second else point.gradient
            row = {"model": model, "part": "loss", "case": number}
            row["autodiff"] = relative_error(own, autodiff(case)[second])
            compared = number < exact and has_mpmath()
            reference = multiprecision(case, second=second) if compared else None
            row["mpmath"] = np.nan if reference is None else relative_error(own, reference)
            found.append(row)
            if model == "softres":
                found += _chain(case, chain, number, second=second)
            error = np.nanmax([row["autodiff"], row["mpmath"]])
            if error > worst:
                worst = float(error)
                context.keep("worst", **case.arrays)
    return pd.DataFrame(found)


def _chain(case: ProblemPoint, chain: Chain, number: int, *, second: bool) -> list[dict[str, Any]]:
    """Return the errors of every function of the chain against automatic differentiation."""
    import torch

    A, b, w, x = (torch.tensor(a) for a in case.arrays.values())
    jacobian: Any = torch.autograd.functional.jacobian
    forms = chain(case.A, case.b, case.w, case.x)

    def derivative(name: str) -> Any:
        def once(at: Any) -> Any:
            return jacobian(lambda y: chain_values(y, A, b, w)[name], at, create_graph=second)

        return (jacobian(once, x) if second else once(x)).numpy()

    return [
        {
            "model": "softres",
            "part": name,
            "case": number,
            "autodiff": relative_error(form, derivative(name)),
            "mpmath": np.nan,
        }
        for name, form in forms.items()
    ]
