"""The repaired theorem, measured: steps and runs with the worst Hessians within eps0 of H."""

from __future__ import annotations

from collections.abc import Iterator
from math import sqrt
from typing import Any

import numpy as np
import pandas as pd

from experiments.claims.algorithm.step_factors import step_factors
from experiments.claims.contraction.inexact import inexact_hessian
from experiments.claims.contraction.near_minimiser import DIRECTIONS, Neighbourhood
from softres.harness.probe import ProbeContext
from softres.theory.euclidean_factor import euclidean_factor, h_norm_factor
from softres.theory.predictions import CONTRACTION

__all__ = ["BASIN", "measure"]

#: How the Hessian is off: the worst for the Euclidean norm and for that of H.
KINDS = ("reflect", "shrink")
#: M |x0 - x*| sqrt(kappa) over l at the start: all of the basin.
BASIN = 0.1


def measure(context: ProbeContext) -> pd.DataFrame:
    """Take single steps at x* and whole runs from the edge of the repaired basin.

    Returns
    -------
    One row a step, ``part``. Of single ones, whose error is that of the linear part alone:
    ``factor_l2`` and ``factor_H`` with their worst ``phi`` and ``bound_H``. Of runs: ``left``,
    |e_t| / |e_0|, with ``repaired``, 0.4^t sqrt(kappa), and ``plain``, 0.4^t; ``basin``,
    M |e_t| / l. ``proven``: whether problem and weights are the theorem's, and M a proven one.
    """
    near = Neighbourhood.of(context)
    own = context.settings.experiment
    rows: list[dict[str, Any]] = []
    worst = 0.0
    for name in DIRECTIONS:
        direction = near.direction(name, context.rng(f"direction {name}"))
        for eps0 in map(float, own["eps0"]):
            for kind in KINDS:
                common = {"direction": name, "kind": kind, "eps0": eps0}
                common |= {"condition": near.condition, "proven": near.of_the_theorem}
                rows.append(common | _single(context, near, direction, eps0, kind))
                if rows[-1]["factor_l2"] > worst:
                    worst = rows[-1]["factor_l2"]
                    context.keep("worst", x=near.x, hessian=near.hessian, direction=direction)
                rows += [
                    common | row
                    for row in _run(context, near, direction, eps0, kind, int(own["steps"]))
                ]
    return pd.DataFrame(rows)


def _single(
    context: ProbeContext, near: Neighbourhood, direction: Any, eps0: float, kind: str
) -> dict[str, Any]:
    """Return the factors of a step from next to x*, over all directions of its error."""
    rng = context.rng(f"single {kind} {eps0:g}")
    found = inexact_hessian(kind, near.problem.at(near.x), direction, eps0, rng, 0.01)
    in_H, in_l2 = step_factors(found.matrix, near.hessian)
    return {
        "part": "single",
        "factor_l2": in_l2,
        "factor_H": in_H,
        "phi": euclidean_factor(eps0, near.condition),
        "bound_H": h_norm_factor(eps0),
    }


def _run(
    context: ProbeContext, near: Neighbourhood, direction: Any, eps0: float, kind: str, steps: int
) -> Iterator[dict[str, Any]]:
    """Yield the steps of a run until x* is too close to be told from."""
    rng = context.rng(f"run {kind} {eps0:g}")
    radius, M = near.distance_for(BASIN / sqrt(near.condition), direction, rng)
    away = first = radius * direction
    for step in range(1, steps + 1):
        point = near.problem.at(near.x + away)
        if not (near.resolved(float(np.linalg.norm(away))) and point.inside):
            return
        found = inexact_hessian(kind, point, away, eps0, rng, 0.01)
        away = away - np.linalg.solve(found.matrix, point.gradient)
        left = float(np.linalg.norm(away) / np.linalg.norm(first))
        yield {
            "part": "run",
            "step": step,
            "left": left,
            "repaired": CONTRACTION**step * sqrt(near.condition),
            "plain": CONTRACTION**step,
            "basin": M * float(np.linalg.norm(away)) / near.smallest,
        }
