"""One theorem, measured: its constants over the ball |x| <= R, its method near x*, its frontier.

Over the ball (few rows, so that an adversary is cheap): points at the ends of A's singular
directions and of its rows, where z is largest, and anywhere; targets on one row, on all, anywhere.
Near x* (many rows, so that sampling leaves some out): Algorithm 1 to the letter from a start with M
|x0 - x*| <= 0.1 l, M measured there; at the theorem's weights, and at ever smaller shares of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import inf, log10
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.linalg import eigh

from experiments.claims.algorithm.sandwich_weights import needed
from experiments.claims.contraction.near_minimiser import Neighbourhood
from experiments.claims.practice.frontier import BASIN, FLOOR, falls
from softres.certification.minimiser import find_minimiser
from softres.data.instance import Instance
from softres.data.sets.synthetic import Synthetic, make_synthetic
from softres.harness.probe import ProbeContext
from softres.linalg.spectrum import spectrum
from softres.matrices import as_matrix
from softres.problems import Problem
from softres.problems.evaluation import Evaluation
from softres.problems.reference import Reference
from softres.solvers import Solver, make_solver, solve
from softres.theory.registry import make_theorem
from softres.theory.theorem import Sizes, Theorem

__all__ = ["measure"]

Vector = npt.NDArray[np.float64]

#: The smallest w^2 of a run, over the largest v^2 / alpha^2 at x0.
LEAST = 1e-4
#: Distance of the second point of a pair, over R.
NEARBY = (1e-3, 1e-1, 1.0)
#: An eigenvalue counts where it is this many units of rounding of the matrix's size.
RESOLVED = 1e3 * float(np.finfo(np.float64).eps)


def measure(context: ProbeContext) -> pd.DataFrame:
    """Return a row for each lemma's constant, and one for each run, by size of the weights."""
    options = context.settings.experiment
    theorem = make_theorem(str(options["theorem"]))
    rows = [*_constants(context, theorem), *_runs(context, theorem)]
    common = {
        "theorem": theorem.name,
        "speaks": (context.settings.R or 1.0) >= theorem.least_radius,
    }
    return pd.DataFrame([common | row for row in rows])


def _instance(context: ProbeContext, n: int) -> tuple[Instance, Sizes]:
    settings = context.settings
    R = settings.R or 1.0
    made = make_synthetic(n, settings.d, R, settings.seed, Synthetic())
    sigma_min = spectrum(as_matrix(made.A)).sigma_min
    return made, Sizes(n, R, settings.weights.l, sigma_min, 1e-6 * n)


def _points(made: Instance, R: float, rng: np.random.Generator, count: int) -> Iterator[Vector]:
    """Yield points of the ball where z is extreme, and random ones."""
    A = np.asarray(made.A)
    directions = [*np.linalg.svd(A)[2], *A[np.argsort(-np.linalg.norm(A, axis=1))[:4]]]
    directions += list(rng.standard_normal((count, A.shape[1])))
    yield np.zeros(A.shape[1])
    for direction in directions:
        unit = direction / np.linalg.norm(direction)
        for radius in (R, -R, R * rng.random()):
            yield radius * unit * (1 - 1e-12)


def _constants(context: ProbeContext, theorem: Theorem) -> Iterator[dict[str, Any]]:
    """Yield the largest share of w^2 that was needed, and log10 of the largest M found."""
    options = context.settings.experiment
    made, sizes = _instance(context, int(options["rows"]))
    rng, n, R = context.rng("ball"), sizes.n, sizes.R
    targets = [np.full(n, 1.0 / n), *rng.dirichlet(np.full(n, 0.3), size=2)]
    targets += [np.eye(n)[row] for row in np.argsort(-np.linalg.norm(made.A, axis=1))[:2]]
    share: dict[str, float] = {"convexity": -inf, "sandwich": -inf}
    largest = 0.0
    for b in targets:
        bare = theorem.make(made.A, b)
        weights = theorem.weights(sizes, b)
        pencil = np.asarray(made.A).T @ (weights[:, None] * np.asarray(made.A))
        wide = theorem.sandwich.value(sizes) if theorem.sandwich is not None else None
        for x in _points(made, R, rng, int(options["points"])):
            point = bare.at(x)
            if not point.inside:
                continue
            found = _convexity(point, pencil, sizes.l)
            if found > share["convexity"]:
                share["convexity"] = found
                context.keep("convexity", A=made.A, b=b, x=x, w2=weights)
            if wide is not None:
                share["sandwich"] = max(share["sandwich"], needed(point) / wide)
            M = _quotient(point, R, rng)
            if largest < M:
                largest = M
                context.keep("lipschitz", A=made.A, b=b, x=x)
    yield {"part": "convexity", "measured": _log(share["convexity"]), "claimed": 0.0}
    if theorem.sandwich is not None:
        yield {"part": "sandwich", "measured": _log(share["sandwich"]), "claimed": 0.0}
    claimed = theorem.lipschitz.value(sizes)
    yield {"part": "lipschitz", "measured": _log(largest), "claimed": claimed}


def _convexity(point: Evaluation, pencil: Any, l: float) -> float:  # noqa: E741
    """Return the smallest multiple of the weights with H >= l I, as far as rounding tells."""
    H = np.asarray(point.hessian()) - l * np.eye(len(pencil))
    value = float(eigh(H, pencil, eigvals_only=True, subset_by_index=[0, 0])[0])
    noise = RESOLVED * float(np.abs(H).max()) / float(np.linalg.eigvalsh(pencil)[0])
    return max(0.0, -value) if abs(value) > noise else 0.0


def _quotient(point: Evaluation, R: float, rng: np.random.Generator) -> float:
    """Return the largest |H(x) - H(y)| / |x - y| to points nearby, inwards and aside."""
    H, x, best = np.asarray(point.hessian()), np.asarray(point.x), 0.0
    for distance in NEARBY:
        for towards in (-x, rng.standard_normal(len(x))):
            length = float(np.linalg.norm(towards))
            if length == 0.0:
                continue
            y = x + distance * R * towards / length
            y *= min(1.0, R / max(float(np.linalg.norm(y)), 1e-300))
            other, gap = point.problem.at(y), float(np.linalg.norm(y - x))
            if not other.inside or gap < 1e-6 * R:
                continue
            change = H - np.asarray(other.hessian())
            if float(np.abs(change).max()) > RESOLVED * float(np.abs(H).max()):
                best = max(best, float(np.linalg.norm(change, 2)) / gap)
    return best


def _runs(context: ProbeContext, theorem: Theorem) -> Iterator[dict[str, Any]]:
    """Yield one run of Algorithm 1 to the letter for each share of the weights."""
    settings, options = context.settings, context.settings.experiment
    made, sizes = _instance(context, settings.n)
    b = np.asarray(made.b)
    weights = theorem.weights(sizes, b)
    if theorem.sandwich is not None:
        weights = np.maximum(weights, theorem.sandwich.value(sizes))
    bare = theorem.make(made.A, b)
    least = LEAST * float(bare.at(bare.start()).gauss_newton_diagonal.max())
    ends = 0.0, min(0.0, log10(least / float(weights.max())) if least > 0 else -6.0)
    steps, _, _ = theorem.steps
    solver = make_solver("approx_newton", variant="paper", eps0=float(options["eps0"]))
    for level, log_share in enumerate(np.linspace(*ends, int(options["levels"]))):
        problem = theorem.make(made.A, b, np.sqrt(10.0**log_share * weights))
        found = _run(context, problem, solver, steps(settings.eps), context.rng(f"run {level}"))
        yield {"part": "run", "level": level, "log10_share": log_share} | found


def _run(
    context: ProbeContext, problem: Problem, solver: Solver, T: int, rng: np.random.Generator
) -> dict[str, Any]:
    """Run from a start with M |x0 - x*| = 0.1 l, M measured between the two."""
    x, certificate = find_minimiser(problem, problem.start())
    if not certificate.certified:
        # What is even in x has a stationary point at 0, which nothing is relative to.
        x, certificate = find_minimiser(problem, problem.zeros())
    moved = float(np.linalg.norm(x - problem.start()))
    near = Neighbourhood(problem, x, max(certificate.estimated_error, 1e-16) * moved)
    if not certificate.certified:
        return {"certified": False}
    direction = near.direction("random", rng)
    radius, M = near.distance_for(BASIN, direction, rng)
    if not near.resolved(radius):
        return {"certified": False}
    result = solve(
        problem,
        solver,
        x0=x + radius * direction,
        eps=context.settings.eps,
        max_steps=T,
        seed=context.settings.seed,
        reference=Reference(problem, x, certificate),
    )
    taken = [
        after
        for before, after in zip(result.rows, result.rows[1:], strict=False)
        if before["relative_error_H"] > FLOOR
    ]
    start, failed = problem.at(problem.zeros()).value, not result.status.success
    worst = inf if failed else 0.0
    return {
        "certified": True,
        "steps": float(result.steps),
        "T": float(T),
        "failed": failed,
        "factor_l2": max((row["contraction_l2"] for row in taken), default=worst),
        "factor_H": max((row["contraction_H"] for row in taken), default=worst),
        "convex": near.smallest >= context.settings.weights.l,
        "loss_fall": falls(problem, x)[0] / start if start > 0 else 0.0,
        "status": result.status.value,
        "M": M,
    }


def _log(value: float) -> float:
    return log10(value) if value > 1e-300 else -300.0
