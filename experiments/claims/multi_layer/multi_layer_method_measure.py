"""Several layers and the method: the least w^2, M, and steps with rows sampled in blocks."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from math import ceil, sqrt
from typing import Any

import numpy as np
import pandas as pd
from scipy.linalg import eigh

from experiments.claims.algorithm.step_factors import step_factors
from softres.certification.minimiser import find_minimiser
from softres.data.sets.synthetic import Synthetic, make_synthetic
from softres.data.weights import WeightOptions, squared_weight
from softres.harness.probe import ProbeContext
from softres.linalg.spectrum import spectrum
from softres.matrices import as_matrix
from softres.matrices.layered import LayeredMatrix
from softres.problems.evaluation import Evaluation
from softres.problems.multilayer import MultiLayerRegression
from softres.sketching import approximate_scores, sample_rows, sample_size
from softres.sketching.blocks import block_scores
from softres.solvers.approximate.approx_newton import ApproxNewton

__all__ = ["measure"]


def measure(context: ProbeContext) -> pd.DataFrame:
    """Return a row for each depth, with and without skip, and for each draw of blocks."""
    settings, own = context.settings, context.settings.experiment
    rows: list[dict[str, Any]] = []
    for R, depth, skip in product(own["sizes"], own["depths"], (True, False)):
        cell = {"R": float(R), "depth": int(depth), "skip": skip}
        few = make_synthetic(int(own["rows"]), settings.d, float(R), settings.seed, Synthetic())
        bare = MultiLayerRegression(few.A, few.b, layers=int(depth), skip=skip)
        rng = context.rng(f"points {R} {depth} {skip}")
        found = _constants(bare, np.asarray(few.A), float(R), settings.weights.l, rng, own)
        sigma_min = spectrum(as_matrix(few.A)).sigma_min
        stated = settings.weights.constant + settings.weights.l / sigma_min**2
        rows.append(cell | {"part": "constants", "stated": stated} | found)
        rows += [cell | row for row in _draws(context, float(R), int(depth), skip)]
    return pd.DataFrame(rows)


def _constants(
    bare: MultiLayerRegression,
    A: Any,
    R: float,
    l: float,  # noqa: E741
    rng: np.random.Generator,
    own: Any,
) -> dict[str, float]:
    """Return the least w^2 with H >= l I at points of |x| <= R, and the largest M of pairs."""
    gram = np.kron(np.eye(bare.layers), A.T @ A)
    needed, M = 0.0, 0.0
    for k in range(int(own["points"])):
        x = rng.standard_normal(bare.d)
        x *= R * (1.0 if k % 2 else rng.random()) / np.linalg.norm(x)
        point = bare.at(x)
        if not point.inside:
            continue
        H = np.asarray(point.hessian())
        lowest = eigh(H - l * np.eye(len(H)), gram, eigvals_only=True, subset_by_index=[0, 0])[0]
        needed = max(needed, -float(lowest))
        for distance in (1e-3, 0.3):
            y = x + distance * R * (rng.standard_normal(bare.d) / sqrt(bare.d) - x / R)
            y *= min(1.0, R / float(np.linalg.norm(y)))
            other, gap = bare.at(y), float(np.linalg.norm(y - x))
            if other.inside and gap > 0:
                change = np.linalg.norm(H - np.asarray(other.hessian()), 2)
                M = max(M, float(change) / gap)
    return {"needed": needed, "M": M}


def _draws(context: ProbeContext, R: float, depth: int, skip: bool) -> Iterator[dict[str, Any]]:
    """Yield the factor of a step near x* for each draw of blocks, the rank-two part exact."""
    settings, own = context.settings, context.settings.experiment
    many = make_synthetic(settings.n, settings.d, R, settings.seed, Synthetic())
    bare = MultiLayerRegression(many.A, many.b, layers=depth, skip=skip)
    w2 = squared_weight(WeightOptions(value=float(own["weight"])), bare, 0.0)
    problem = MultiLayerRegression(many.A, many.b, sqrt(w2), layers=depth, skip=skip)
    x, certificate = find_minimiser(problem, problem.start())
    if not certificate.certified:
        yield {"part": "draw", "certified": False}
        return
    point, rng = problem.at(x), context.rng(f"draws {R} {depth} {skip}")
    H = np.asarray(point.hessian())
    for _ in range(int(own["draws"])):
        scores = _scores(point, rng)
        d = problem.d
        each = sample_size(d, float(own["eps0"]), float(own["delta"]), ApproxNewton.constant)
        asked = each * float(scores.sum()) / d
        sample = sample_rows(scores, ceil(asked), rng)
        gram = sample.gram(problem.matrix, point.curvature.weights)
        used = np.asarray(point.curvature.hessian(problem.matrix, gram))
        factor, _ = step_factors(used, H)
        kept = len(sample.index) / problem.n
        yield {"part": "draw", "certified": True, "factor_H": factor, "kept": kept}


def _scores(point: Evaluation, rng: np.random.Generator) -> Any:
    matrix, weights = point.problem.matrix, point.curvature.weights
    if isinstance(matrix, LayeredMatrix):
        return block_scores(matrix, weights, rng)
    return approximate_scores(matrix, np.sqrt(np.abs(weights)), rng)
