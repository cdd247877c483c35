"""Critical points of small instances, certified, and the minimiser that a solver finds from 0."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from math import sqrt
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from experiments.claims.landscape.critical_points import (
    CriticalPoint,
    PoledLoss,
    critical_points,
)
from softres.data.sets.synthetic import Synthetic, make_synthetic
from softres.data.weights import WeightOptions, squared_weight
from softres.harness.probe import ProbeContext
from softres.linalg.spectrum import spectrum
from softres.matrices import as_matrix
from softres.problems import make_problem
from softres.solvers import solve

__all__ = ["THREE_ROWS", "measure"]

Array = npt.NDArray[np.float64]

#: Rows between which alpha is negative for x in [-17.1, -1.07]: n = 3, d = 1.
THREE_ROWS = np.array([[1.0], [1.0], [-0.2]])
#: Reach of the starts, over the largest |x| that is spoken of.
REACH = 1.5


def measure(context: ProbeContext) -> pd.DataFrame:
    """Return a row for each instance and weight: how many critical points, and which is found."""
    return pd.DataFrame([*_instances(context), *_three_rows(context)])


def _instances(context: ProbeContext) -> Iterator[dict[str, Any]]:
    settings, own = context.settings, context.settings.experiment
    cases = product(own["dimensions"], own["sizes"], own["noises"], own["weights"])
    for d, R, noise, weight in cases:
        instance = make_synthetic(
            settings.n, int(d), float(R), settings.seed, Synthetic(noise=float(noise))
        )
        bare = make_problem("softres", instance.A, instance.b)
        options = (
            WeightOptions(value=float(weight))
            if weight != "theorem"
            else WeightOptions(name="theorem", value=0.0)
        )
        w2 = squared_weight(options, bare, spectrum(as_matrix(instance.A)).sigma_min)
        loss = PoledLoss(np.asarray(instance.A), np.asarray(instance.b), w2)
        rng = context.rng(f"starts {d} {R} {noise}")
        # The same starts for every weight: what differs is the loss.
        starts = REACH * float(R) * rng.standard_normal((int(own["starts"]), int(d))) / sqrt(int(d))
        row = {"part": "instance", "d": int(d), "R": float(R), "noise": float(noise)}
        yield row | {"weight": str(weight)} | _case(context, loss, starts)


def _three_rows(context: ProbeContext) -> Iterator[dict[str, Any]]:
    b = np.full(3, 1.0 / 3.0)
    starts = np.concatenate([np.linspace(-30.0, 10.0, 41), -1.0726 - np.geomspace(1e-4, 1.0, 12)])
    for w2 in context.settings.experiment["three_rows"]:
        row = {"part": "three rows", "d": 1, "R": np.nan, "noise": np.nan, "weight": f"{w2:g}"}
        yield row | _case(context, PoledLoss(THREE_ROWS, b, float(w2)), starts[:, None])


def _case(context: ProbeContext, loss: PoledLoss, starts: Array) -> dict[str, Any]:
    """Count the critical points, and look which minimiser exact Newton finds from 0."""
    points = critical_points(loss, starts)
    sure = [point for point in points if point.certified]
    least = [point for point in sure if point.negative == 0]
    here, across = (
        [point for point in least if point.positive_side == side] for side in (True, False)
    )
    problem = make_problem("softres", loss.A, loss.b, sqrt(loss.w2))
    result = solve(problem, "exact_newton", eps=1e-12)
    found = problem.value(result.x)
    lowest = min((point.value for point in least), default=found)
    row = {
        "w2": loss.w2,
        "points": len(points),
        "certified": len(sure),
        "minimisers": len(here),
        "minimisers_across": len(across),
        "saddles": sum(point.negative > 0 and point.positive_side for point in sure),
        "found": found,
        "lowest": lowest,
        "lowest_here": min((point.value for point in here), default=found),
        "status": result.status.value,
    }
    if len(least) > 1:
        context.keep("minimisers", A=loss.A, b=loss.b, w2=loss.w2, x=_stacked(least))
    if found > lowest + 1e-9 * max(1.0, abs(lowest)):
        kept = {"A": loss.A, "b": loss.b, "w2": loss.w2, "x": _stacked(least)}
        context.keep("not_lowest", found=result.x, **kept)
    return row


def _stacked(points: list[CriticalPoint]) -> Array:
    return np.stack([point.x for point in points])
