"""Lemma A.11: whole runs with Hessians that are off, from the edge of the basin."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from experiments.claims.contraction.inexact import inexact_hessian, perturbation_grid
from experiments.claims.contraction.near_minimiser import (
    DIRECTIONS,
    LARGEST_EPS0,
    NORM_LABELS,
    Neighbourhood,
)
from experiments.claims.contraction.shrinking_measure import array_file
from softres.harness.probe import ProbeContext

__all__ = ["BASIN", "measure"]

#: M r <= 0.1 l is what the lemma starts from and keeps.
BASIN = 0.1


def measure(context: ProbeContext) -> pd.DataFrame:
    """Run the plain iteration x - H~^-1 g from the edge of the basin, in both norms.

    The basin in the H-norm is M |x - x*|_H <= 0.1 l^1.5: the largest ellipsoid of that norm
    inside the lemma's ball. In that norm the lemma is proven, by the factor of Lemma A.10
    (:func:`experiments.claims.contraction.shrinking_measure.bound`) with M r <= 0.1 l and
    eps0 <= 4/45: it is at most 0.4, so the ellipsoid is never left.

    Returns
    -------
    One row a step: ``contraction_l2``, ``contraction_H``, ``basin_l2`` = M r / l and
    ``basin_H`` = M |x - x*|_H / l^1.5 after the step, and ``error``, that of H~. ``proven`` and
    ``inside`` are as in Lemma A.10's table; a run counts as inside as long as no step of it has
    had a Hessian that the lemma does not speak of.
    """
    options = context.settings.experiment
    near = Neighbourhood.of(context)
    rows: list[dict[str, Any]] = []
    worst: dict[str, float] = {}
    for norm in NORM_LABELS:
        for name in DIRECTIONS:
            direction = near.direction(name, context.rng(f"direction {name}"))
            radius, M = _start(near, norm, direction, context.rng(f"M {name}"))
            for eps0, kind in perturbation_grid(options["eps0"]):
                # A run has random numbers of its own: it is the same among few and among many.
                rng = context.rng(f"run {norm} {name} {eps0:g} {kind}")
                run = _run(near, M, radius * direction, eps0, kind, rng, dict(options))
                for row, points in run:
                    rows.append(row | {"norm": norm, "direction": name, "M": M})
                    file = array_file(norm, drawn=kind == "sampled", inside=row["inside"])
                    judged = row["within"] and eps0 <= LARGEST_EPS0
                    if judged and row[f"contraction_{norm}"] > worst.get(file, 0.0):
                        worst[file] = row[f"contraction_{norm}"]
                        context.keep(file, **points)
    return pd.DataFrame(rows)


def _start(
    near: Neighbourhood, norm: str, direction: Any, rng: np.random.Generator
) -> tuple[float, float]:
    """Return the distance of a start at the basin's edge, and the M of the basin."""
    radius, M = near.distance_for(BASIN, direction, rng)
    if norm == "H":
        radius *= float(np.sqrt(near.smallest)) / near.norm_H(direction)
    # A measured M may be a little larger in the end than the one that the radius was made from.
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
    within, inside = True, near.of_the_theorem and eps0 <= LARGEST_EPS0
    for step in range(1, int(options["steps"]) + 1):
        point = near.problem.at(near.x + away)
        stays = near.resolved(float(np.linalg.norm(away))) and point.inside
        if not stays or float(np.linalg.eigvalsh(point.hessian())[0]) <= 0:
            break
        inexact = inexact_hessian(kind, point, away, eps0, rng, float(options["delta"]))
        after = away - np.linalg.solve(inexact.matrix, point.gradient)
        within = within and inexact.within(eps0)
        inside = inside and within and inexact.positive
        row = {
            "eps0": eps0,
            "kind": kind,
            "step": step,
            "condition": near.condition,
            "error": inexact.error,
            "diagonal_ratio": inexact.ratio,
            "proven": near.of_the_theorem,
            "within": within,
            "inside": inside,
            "contraction_l2": float(np.linalg.norm(after) / np.linalg.norm(away)),
            "contraction_H": near.norm_H(after) / near.norm_H(away),
            "basin_l2": M * float(np.linalg.norm(after)) / near.smallest,
            "basin_H": M * near.norm_H(after) / near.smallest**1.5,
        }
        arrays = {
            "minimiser": near.x,
            "x": near.x + away,
            "x_next": near.x + after,
            "hessian": near.hessian,
            "hessian_used": inexact.matrix,
            "diagonal_used": inexact.diagonal,
        }
        found.append((row, arrays))
        away = after
    return found
