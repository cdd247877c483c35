"""Lemmas 5.3 and 5.4, measured: how far the curvature is from a diagonal plus rank two."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from experiments.claims.bounds.quantities import PointBatch, matrix_parts
from experiments.claims.closed_forms.formulas import MODELS
from experiments.claims.closed_forms.references import problem_points, relative_error
from softres.harness.probe import ProbeContext

__all__ = ["EIGENVALUE_FLOOR", "KEPT_EIGENVALUES", "measure"]

#: Eigenvalues below this, over the largest, are rounding.
EIGENVALUE_FLOOR = 1e-11
#: Eigenvalues of the rank-two part that are kept, by their size.
KEPT_EIGENVALUES = 6
#: The columns that are judged.
FIGURES = ("rank", "signs", "formula", "sum")


def measure(context: ProbeContext) -> pd.DataFrame:
    """Return, one row a point, how far B - diag(D) is from rank two and from its closed form.

    B is not the library's: it is the Hessian in z that automatic differentiation gives.
    """
    rows: list[dict[str, Any]] = []
    worst = -1.0
    for model in ("softres", "softmax"):
        for number, case in enumerate(problem_points(context, model)):
            curvature = case.problem.at(case.x).curvature
            B = _by_autodiff(model, case.A @ case.x, case.b, case.w)
            assert curvature.v is not None
            assert curvature.h is not None
            v, h = np.asarray(curvature.v), np.asarray(curvature.h)
            values = np.linalg.eigvalsh(B - np.diag(curvature.diagonal))
            by_size = np.sort(np.abs(values))[::-1]
            inner, lengths = v @ h, np.linalg.norm(v) * np.linalg.norm(h)
            expected = np.array([inner - lengths, inner + lengths])
            row: dict[str, Any] = {"model": model, "case": number}
            row["rank"] = by_size[2] / by_size[0]
            tiny = EIGENVALUE_FLOOR * by_size[0]
            row["signs"] = float(not (values[0] < -tiny and values[-1] > tiny))
            row["formula"] = relative_error(values[[0, -1]], expected)
            row["sum"] = np.nan
            if model == "softres":
                parts = _definition(case.A @ case.x, case.b) + np.diag(case.w**2)
                row["sum"] = relative_error(parts, B)
            row |= {f"eigenvalue_{k}": by_size[k] / by_size[0] for k in range(KEPT_EIGENVALUES)}
            rows.append(row)
            largest = float(np.nanmax([row[name] for name in FIGURES]))
            if largest > worst:
                worst = largest
                context.keep("worst", **case.arrays)
    return pd.DataFrame(rows)


def _by_autodiff(model: str, z: Any, b: Any, w: Any) -> Any:
    import torch

    b, w = torch.tensor(b), torch.tensor(w)

    def loss(z: Any) -> Any:
        u = MODELS[model](torch, z)
        c = u / u.sum() - b
        return 0.5 * (c @ c + ((w * z) ** 2).sum())

    hessian: Any = torch.autograd.functional.hessian
    return hessian(loss, torch.tensor(z)).numpy()


def _definition(z: Any, b: Any) -> Any:
    """Return B1 + B2 + B3 as matrices, without W^2."""
    import torch

    point = PointBatch(torch.tensor(z), torch.tensor(b))
    return sum(matrix_parts(point, name).numpy() for name in ("B1", "B2", "B3"))
