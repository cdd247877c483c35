"""The closed forms of several layers beside automatic differentiation, by depth."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import torch

from softres.harness.probe import ProbeContext
from softres.problems.multilayer import MultiLayerRegression

__all__ = ["COLUMNS", "measure"]

#: What is measured of every case.
COLUMNS = ("gradient", "hessian", "hvp", "rank")
#: The branches g in torch, written from their definition.
BRANCHES: dict[str, Any] = {
    "tanh": torch.tanh,
    "softplus": torch.nn.functional.softplus,
    "gelu": torch.nn.functional.gelu,
}
#: Weight w of every row, and the size of x. A layer with a skip connection may double what it sees:
#: x is smaller by as much, for where f is peaked all terms cancel, and with them their digits.
WEIGHT, SIZE, DOUBLED = 0.1, 0.5, 2.0


def measure(context: ProbeContext) -> pd.DataFrame:
    """Draw points of models of every depth; errors are relative to the norm of what is exact."""
    settings, options = context.settings, context.settings.experiment
    rng = context.rng("points")
    rows: list[dict[str, Any]] = []
    cases = product(range(options["cases"]), options["depths"], (True, False), BRANCHES)
    for case, depth, skip, branch in cases:
        A = rng.standard_normal((depth, settings.n, settings.d)) / np.sqrt(settings.d)
        b = rng.dirichlet(np.ones(settings.n))
        size = SIZE / DOUBLED ** (depth - 1) if skip else SIZE
        x, p = size * rng.standard_normal((2, depth * settings.d))
        given = list(A) if depth > 1 else A[0]
        problem = MultiLayerRegression(given, b, WEIGHT, layers=depth, skip=skip, branch=branch)
        point = problem.at(x)
        if not (point.inside and point.alpha >= 0.1 * settings.n):
            continue
        in_z = _in_z(point.z, b, depth, skip, branch)
        whole = np.zeros((depth * settings.n, depth * settings.d))
        for k in range(depth):
            whole[k * settings.n : (k + 1) * settings.n, k * settings.d : (k + 1) * settings.d] = A[
                k
            ]
        gradient, hessian = whole.T @ in_z[0], whole.T @ in_z[1] @ whole
        # What is left of the curvature without the blocks of the rows: plus rank two.
        blocks = np.array([point.curvature.apply_rows(unit) for unit in np.eye(len(point.z))])
        left = np.sort(np.abs(np.linalg.eigvalsh(in_z[1] - blocks)))[::-1]
        rows.append(
            {
                "case": case,
                "depth": int(depth),
                "skip": skip,
                "branch": branch,
                "gradient": _error(point.gradient, gradient),
                "hessian": _error(point.hessian(), hessian),
                "hvp": _error(point.hvp(p), hessian @ p),
                "rank": float(left[2] / np.abs(np.linalg.eigvalsh(in_z[1])).max()),
                "second": float(left[1] / left[0]),
            }
        )
    return pd.DataFrame(rows)


def _in_z(z: Any, b: Any, depth: int, skip: bool, branch: str) -> tuple[Any, Any]:
    """Return gradient and Hessian in z by automatic differentiation of the definition."""
    target = torch.from_numpy(b)

    def loss(z: Any) -> Any:
        passed = torch.zeros_like(target)
        for part in z.reshape(depth, -1):
            y = passed + part
            passed = skip * y + BRANCHES[branch](y)
        u = skip * y + torch.exp(y)
        return 0.5 * torch.sum((u / u.sum() - target) ** 2) + 0.5 * torch.sum((WEIGHT * z) ** 2)

    at = torch.from_numpy(z)
    functional: Any = torch.autograd.functional
    return functional.jacobian(loss, at).numpy(), functional.hessian(loss, at).numpy()


def _error(found: Any, exact: Any) -> float:
    return float(np.linalg.norm(found - exact) / np.linalg.norm(exact))
