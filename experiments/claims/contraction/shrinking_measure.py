"""Lemma A.10: single steps with Hessians that are off, and what they do to the error."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from experiments.claims.contraction.constants import log10_recalled
from experiments.claims.contraction.inexact import Inexact, inexact_hessian, perturbation_grid
from experiments.claims.contraction.near_minimiser import (
    DIRECTIONS,
    LARGEST_EPS0,
    NORM_LABELS,
    Neighbourhood,
)
from softres.harness.probe import ProbeContext
from softres.problems.evaluation import Evaluation
from softres.theory.assumptions import lowest_log_alpha

__all__ = ["array_file", "bound", "measure"]


def bound(eps0: Any, share: Any) -> Any:
    """Return the lemma's factor 2 (eps0 + rbar / (l - rbar)) for share = rbar / l < 1.

    In the H-norm it is proven. With e = x - x*, x* a minimiser, the step is e+ = H~^-1 (H~ - N) e
    for N the mean of the Hessian from x* to x. Seen from H(x*) >= l I, H(x) is off by share at
    most, N by share / 2 of H(x), and H~ by eps0 of H(x). Hence

        |e+|_H <= (eps0 (1 + share) + share / 2) / ((1 - eps0) (1 - share)) |e|_H

    which is at most the lemma's factor as long as eps0 (1 - 2 eps0) + share (3/2 - 5 eps0 +
    2 eps0^2) >= 0: for eps0 up to 3/8. In the Euclidean norm a factor sqrt(condition) comes in.
    """
    return 2.0 * (eps0 + share / (1.0 - share))


def array_file(norm: str, *, drawn: bool, inside: bool) -> str:
    """Return the name of the arrays of a run's worst step of a kind."""
    return f"{'drawn' if drawn else 'made'}_{norm}_{'inside' if inside else 'outside'}"


def measure(context: ProbeContext) -> pd.DataFrame:
    """Take one step from starts in several directions and distances, with each kind of H~.

    Returns
    -------
    One row a step: ``share`` (M r / l), ``error`` (the spectral error of H~), ``factor_l2``,
    ``factor_H``, ``bound``, and what the start was. ``proven`` says whether M is a proven one,
    ``inside`` whether the step is one that the lemma speaks of: soft-residual regression with the
    theorem's weights, eps0 <= 4/45, H~ within eps0 of H by weights that are not negative, and
    M r < l for certain.
    """
    options = context.settings.experiment
    near = Neighbourhood.of(context)
    recalled = _log10_recalled(context)
    rows: list[dict[str, Any]] = []
    worst: dict[str, float] = {}
    for name, target, point, share in _starts(context, near):
        away = point.x - near.x
        radius = float(np.linalg.norm(away))
        for eps0, kind in perturbation_grid(options["eps0"]):
            # A case has random numbers of its own: it is the same among few and among many.
            rng = context.rng(f"step {name} {target:g} {eps0:g} {kind}")
            inexact = inexact_hessian(kind, point, away, eps0, rng, float(options["delta"]))
            after = away - np.linalg.solve(inexact.matrix, point.gradient)
            allowed = inexact.positive and inexact.within(eps0)
            inside = near.of_the_theorem and eps0 <= LARGEST_EPS0 and allowed
            row = {
                "direction": name,
                "kind": kind,
                "eps0": eps0,
                "distance": radius,
                "share": share,
                "proven": near.of_the_theorem,
                "inside": inside,
                "log10_share_recalled": recalled + np.log10(radius / near.smallest),
                "condition": near.condition,
                "error": inexact.error,
                "diagonal_ratio": inexact.ratio,
                "bound": bound(eps0, share),
                "factor_l2": float(np.linalg.norm(after)) / radius,
                "factor_H": near.norm_H(after) / near.norm_H(away),
            }
            rows.append(row)
            for norm in NORM_LABELS:
                file = array_file(norm, drawn=kind == "sampled", inside=inside)
                excess = row[f"factor_{norm}"] / row["bound"]
                if inexact.within(eps0) and excess > worst.get(file, 0.0):
                    worst[file] = excess
                    _keep(context, file, near, point.x, near.x + after, inexact)
    return pd.DataFrame(rows)


def _starts(
    context: ProbeContext, near: Neighbourhood
) -> Iterator[tuple[str, float, Evaluation, float]]:
    """Yield direction, wanted share, point and M r / l of the starts that the lemma speaks of."""
    for name in DIRECTIONS:
        direction = near.direction(name, context.rng(f"direction {name}"))
        reached = set()
        for target in map(float, context.settings.experiment["shares"]):
            radius, M = near.distance_for(target, direction, context.rng(f"M {name} {target:g}"))
            if radius in reached:
                continue  # the end of the problem's range came first, again
            reached.add(radius)
            share = M * radius / near.smallest
            point = near.problem.at(near.x + radius * direction)
            if not (near.resolved(radius) and share < 1 and point.inside):
                continue
            if float(np.linalg.eigvalsh(point.hessian())[0]) > 0:
                yield name, target, point, share


def _log10_recalled(context: ProbeContext) -> float:
    """Return log10 of the recalled M; it is known for normalised problems only."""
    problem, prepared = context.prepared.problem, context.prepared
    if not problem.normalised:
        return float("nan")
    start, minimum = problem.at(prepared.x0), problem.at(prepared.minimiser)
    return log10_recalled(problem.n, context.settings.R or 1.0, lowest_log_alpha(start, minimum))


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
