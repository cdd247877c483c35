"""How M, K and the smallest w^2 grow with R, n and beta: the largest that an adversary finds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import product
from typing import Any

import pandas as pd

from experiments.claims.bounds.adversary import search
from experiments.claims.bounds.bounded_measure import log
from experiments.claims.bounds.quantities import PointBatch, matrix_parts
from experiments.claims.bounds.regions import MATRIX_SHAPES, Setting, matrix
from softres.harness.probe import ProbeContext

__all__ = ["measure"]


def _of_one_point(setting: Setting) -> Mapping[str, Callable[..., Any]]:
    """Return K, the least eigenvalue of B - W^2 with its sign turned, and the same on A's range."""
    import torch

    Q = torch.linalg.qr(torch.tensor(setting.A))[0]

    def lowest(frame: Any) -> Callable[[PointBatch], Any]:
        return lambda point: (
            -torch.linalg.eigvalsh(torch.nan_to_num(matrix_parts(point, "H", frame)))[..., 0]
        )

    return {"K": lowest(None), "w^2": lowest(Q)}


def _of_two_points(setting: Setting) -> Mapping[str, Callable[..., Any]]:
    import torch

    A = torch.tensor(setting.A)

    def change(x: PointBatch, y: PointBatch) -> Any:
        difference = matrix_parts(x, "H", A) - matrix_parts(y, "H", A)
        return torch.linalg.eigvalsh(torch.nan_to_num(difference)).abs().amax(-1)

    return {"M": change}


def measure(context: ProbeContext) -> pd.DataFrame:
    """Return a row for each figure, n, R and beta: log10 of the largest over the kinds of A.

    w^2 is what H >= 0 needs; l / sigma_min^2 comes on top of it.
    """
    settings, own = context.settings, context.settings.experiment
    rows: list[dict[str, Any]] = []
    for n, R, beta in product(own["rows"], own["sizes"], own["betas"]):
        largest: dict[str, float] = {}
        for kind in MATRIX_SHAPES:
            name = f"{kind} {n} {R} {beta}"
            A = matrix(kind, int(n), settings.d, float(R), context.rng(f"matrix {kind} {n}"))
            setting = Setting(kind, 0, A, float(R), float(beta))
            for points, figures in ((1, _of_one_point), (2, _of_two_points)):
                found = search(
                    setting,
                    figures(setting),
                    points,
                    context.rng(f"search {name} {points}"),
                    starts=int(own["starts"]),
                    iterations=int(own["iterations"]),
                )
                for figure, case in found.items():
                    largest[figure] = max(largest.get(figure, 0.0), case.value)
        cell = {"n": int(n), "R": float(R), "beta": float(beta)}
        rows += [cell | {"figure": key, "log10": log(value)} for key, value in largest.items()]
    return pd.DataFrame(rows)
