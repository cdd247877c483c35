"""Lemma A.10: single steps with Hessians that are off, and what they do to the error."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from experiments._contraction import (
    DIRECTIONS,
    Inexact,
    Neighbourhood,
    cases,
    inexact_hessian,
)
from softres.harness.probe import ProbeContext
from softres.theory.assumptions import lowest_log_alpha
from softres.theory.predictions import log10_lipschitz_recalled

__all__ = ["NORMS", "array_file", "bound", "in_band", "measure"]

NORMS = {"l2": "the Euclidean norm", "H": "the H-norm"}


def bound(eps0: Any, share: Any) -> Any:
    """Return the lemma's factor 2 (eps0 + rbar / (l - rbar)) for share = rbar / l < 1."""
    return 2.0 * (eps0 + share / (1.0 - share))


def measure(context: ProbeContext) -> pd.DataFrame:
    """Take one step from starts in several directions and distances, with each kind of H~.

    Returns
    -------
    One row a step: ``share`` (M r / l with the measured M), ``error`` (the spectral error of H~),
    ``factor_l2``, ``factor_H``, ``bound``, and what the start was.
    """
    options = context.settings.experiment
    near = Neighbourhood.of(context)
    rng = context.rng("steps")
    recalled = _log10_recalled(context)
    rows: list[dict[str, Any]] = []
    worst: dict[str, float] = {}
    for name in DIRECTIONS:
        direction = near.direction(name, rng)
        for target in options["shares"]:
            radius, M = near.distance_for(float(target), direction, rng)
            point = near.problem.at(near.x + radius * direction)
            away = point.x - near.x
            share = M * radius / near.smallest
            if not (near.resolved(radius) and share < 1 and point.inside):
                continue
            if float(np.linalg.eigvalsh(point.hessian())[0]) <= 0:
                continue
            for eps0, kind in cases(options["eps0"]):
                inexact = inexact_hessian(kind, point, away, eps0, rng, dict(options["sampler"]))
                after = away - np.linalg.solve(inexact.matrix, point.gradient)
                row = {
                    "direction": name,
                    "kind": kind,
                    "eps0": eps0,
                    "distance": radius,
                    "share": share,
                    "log10_share_recalled": recalled + np.log10(radius / near.smallest),
                    "condition": near.condition,
                    "error": inexact.error,
                    "diagonal_ratio": inexact.ratio,
                    "bound": bound(eps0, share),
                    "factor_l2": float(np.linalg.norm(after) / np.linalg.norm(away)),
                    "factor_H": near.norm_H(after) / near.norm_H(away),
                }
                rows.append(row)
                for norm in NORMS:
                    file = array_file(norm, kind)
                    excess = row[f"factor_{norm}"] / row["bound"]
                    if excess > worst.get(file, 0.0):
                        worst[file] = excess
                        _keep(context, file, near, point.x, near.x + after, inexact)
    return pd.DataFrame(rows)


def in_band(error: Any, eps0: Any) -> Any:
    """Whether a spectral error is eps0 or less, up to rounding."""
    return error <= eps0 * (1 + 1e-9)


def _log10_recalled(context: ProbeContext) -> float:
    """Return log10 of the recalled M; it is known for normalised problems only."""
    problem, prepared = context.prepared.problem, context.prepared
    if not problem.normalised:
        return float("nan")
    start, minimum = problem.at(prepared.x0), problem.at(prepared.minimiser)
    return log10_lipschitz_recalled(
        problem.n, context.settings.R or 1.0, lowest_log_alpha(start, minimum)
    )


def array_file(norm: str, kind: str) -> str:
    """Return the name of the arrays kept of a run's worst step, made or drawn."""
    return f"{'drawn' if kind == 'sampled' else 'worst'}_{norm}"


def _keep(
    context: ProbeContext, file: str, near: Neighbourhood, x: Any, after: Any, found: Inexact
) -> None:
    context.keep(
        file,
        minimiser=near.x,
        x=x,
        x_next=after,
        hessian=near.hessian,
        hessian_used=found.matrix,
        diagonal_used=found.diagonal,
    )
