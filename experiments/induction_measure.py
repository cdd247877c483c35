"""Lemma A.11: whole runs with Hessians that are off, from the edge of the basin."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from experiments._contraction import DIRECTIONS, Neighbourhood, cases, inexact_hessian
from softres.harness.probe import ProbeContext

__all__ = ["BASIN", "LARGEST_EPS0", "NORMS", "measure"]

#: M r <= 0.1 l is what the lemma starts from and keeps.
BASIN = 0.1
#: 2 (eps0 + 0.1 / 0.9) <= 0.4 holds up to here, so this is what the lemma can be asked with.
LARGEST_EPS0 = 4 / 45
NORMS = {"l2": "the Euclidean norm", "H": "the H-norm"}


def measure(context: ProbeContext) -> pd.DataFrame:
    """Run the plain iteration x - H~^-1 g from the edge of the basin, in both norms.

    The basin in the H-norm is M |x - x*|_H <= 0.1 l^1.5: the largest ellipsoid of that norm
    inside the lemma's ball.

    Returns
    -------
    One row a step: ``contraction_l2``, ``contraction_H``, ``basin_l2`` = M r / l and
    ``basin_H`` = M |x - x*|_H / l^1.5 after the step, and ``error``, that of H~.
    """
    options = context.settings.experiment
    near = Neighbourhood.of(context)
    rng = context.rng("runs")
    rows: list[dict[str, Any]] = []
    worst: dict[str, float] = {}
    for norm in NORMS:
        for name in DIRECTIONS:
            direction = near.direction(name, rng)
            radius, M = _start(near, norm, direction, rng)
            for eps0, kind in cases(options["eps0"]):
                run = _run(near, M, radius * direction, eps0, kind, rng, dict(options))
                for row, points in run:
                    rows.append(row | {"norm": norm, "direction": name, "M": M})
                    file = f"{'drawn' if kind == 'sampled' else 'worst'}_{norm}"
                    if eps0 <= LARGEST_EPS0 and row[f"contraction_{norm}"] > worst.get(file, 0.0):
                        worst[file] = row[f"contraction_{norm}"]
                        context.keep(file, **points)
    return pd.DataFrame(rows)


def _start(
    near: Neighbourhood, norm: str, direction: Any, rng: np.random.Generator
) -> tuple[float, float]:
    """Return the distance of a start at the basin's edge, and M measured over the basin."""
    radius, M = near.distance_for(BASIN, direction, rng)
    if norm == "H":
        radius *= float(np.sqrt(near.smallest)) / near.norm_H(direction)
    # The last M may be a little larger than the one that the radius was made from.
    return radius * min(1.0, BASIN * near.smallest / (M * radius)), M


def _run(
    near: Neighbourhood,
    M: float,
    away: Any,
    eps0: float,
    kind: str,
    rng: np.random.Generator,
    options: dict[str, Any],
) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Iterate until x* is too close to be told from; return rows, each with its arrays."""
    found = []
    for step in range(1, int(options["steps"]) + 1):
        point = near.problem.at(near.x + away)
        stays = near.resolved(float(np.linalg.norm(away))) and point.inside
        if not stays or float(np.linalg.eigvalsh(point.hessian())[0]) <= 0:
            break
        inexact = inexact_hessian(kind, point, away, eps0, rng, dict(options["sampler"]))
        after = away - np.linalg.solve(inexact.matrix, point.gradient)
        row = {
            "eps0": eps0,
            "kind": kind,
            "step": step,
            "condition": near.condition,
            "error": inexact.error,
            "contraction_l2": float(np.linalg.norm(after) / np.linalg.norm(away)),
            "contraction_H": near.norm_H(after) / near.norm_H(away),
            "basin_l2": M * float(np.linalg.norm(after)) / near.smallest,
            "basin_H": M * near.norm_H(after) / near.smallest**1.5,
        }
        arrays = {
            "minimiser": near.x,
            "x": near.x + away,
            "x_next": near.x + after,
            "hessian_used": inexact.matrix,
            "diagonal_used": inexact.diagonal,
        }
        found.append((row, arrays))
        away = after
    return found
