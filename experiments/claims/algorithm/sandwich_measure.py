"""The sandwich 9/10 (B + W^2) <= W^2 <= 11/10 (B + W^2), measured: the w^2 it needs at its worst.

The smallest w^2 at a point is known, see :mod:`experiments.claims.algorithm.sandwich_weights`, and
an adversary makes it large over x and b. Lemma 7.1's proven bounds, see
:mod:`softres.theory.curvature_bounds`, make one that is enough everywhere: B <= |F|^2 + K and
B >= -K, hence w^2 = max(9 (|F|^2 + K), 11 K).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from experiments.claims.algorithm.sandwich_weights import LOWER, UPPER, needed, stated
from experiments.claims.bounds.adversary import WorstCase
from experiments.claims.bounds.bounded_measure import Bounds, log, measure_bounded
from experiments.claims.bounds.quantities import PointBatch, matrix_parts
from experiments.claims.bounds.regions import Setting
from softres.harness.probe import ProbeContext
from softres.problems import make_problem
from softres.theory.bounds import Region
from softres.theory.curvature_bounds import curvature_bounds

__all__ = ["PROBLEMS", "measure", "proven"]

#: Whose curvature is weighed; the family states the sandwich for the second.
PROBLEMS = ("softres", "softmax")


class _Softmax(PointBatch):
    """The same points with the link exp(z)."""

    @cached_property
    def u(self) -> Any:
        return self.e

    @cached_property
    def v(self) -> Any:
        return self.e


def proven(region: Region) -> float:
    """Return a w^2 that is enough for soft-residual regression, by Lemma 7.1's own bounds."""
    parts = curvature_bounds(region)
    K = parts["-B"]
    return max(UPPER * (parts["B1"] + K), LOWER * K)


def _figures(setting: Setting) -> dict[str, Callable[[PointBatch], Any]]:
    import torch

    def weight(point: PointBatch) -> Any:
        values = torch.linalg.eigvalsh(torch.nan_to_num(matrix_parts(point, "H")))
        return torch.maximum(UPPER * values[..., -1], -LOWER * values[..., 0])

    return {"softres": weight, "softmax": lambda point: weight(_Softmax(point.z, point.b))}


def measure(context: ProbeContext) -> pd.DataFrame:
    """Return the largest w^2 found to be needed, one row a problem and matrix, as log10.

    Columns: ``measured`` and ``by_library``, the same from the library's curvature at the point
    found; ``bound`` and ``instance_bound``, proven here; ``stated``, the family's.
    """
    l = context.settings.weights.l  # noqa: E741
    nearest: dict[str, float] = {}

    def bounds(setting: Setting) -> Bounds:
        n, R, beta = len(setting.A), setting.R, setting.beta
        worst, instance = Region.worst(n, R, beta), Region.of(setting.A, R, beta)
        unknown = {"softmax": np.nan}
        return {"softres": proven(worst)} | unknown, {"softres": proven(instance)} | unknown, {}

    def complete(setting: Setting, case: WorstCase, row: dict[str, Any]) -> None:
        name = row["part"]
        problem = make_problem(name, setting.A, case.b, beta=setting.beta)
        sigma_min = float(np.linalg.svd(setting.A, compute_uv=False)[-1])
        row["stated"] = log(stated(setting.R, sigma_min, l))
        row["by_library"] = log(needed(problem.at(case.x)))
        gap = row["stated"] - row["measured"]
        if gap < nearest.get(name, np.inf):
            nearest[name] = gap
            context.keep(
                f"nearest_{name}", A=setting.A, x=case.x, b=case.b, w2=10.0 ** row["stated"]
            )

    return measure_bounded(context, 1, _figures, bounds, complete)
