"""The largest distances from x* at which Newton's method still works: what is measured."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, log10, sqrt
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from experiments.claims.contraction.constants import ProvenBalls, log10_recalled
from experiments.claims.contraction.rays import LOWEST, Near, Radius, largest_radius, local_radius
from softres.certification.minimiser import find_minimiser
from softres.data.sets.synthetic import Synthetic, make_synthetic
from softres.data.weights import WeightOptions, squared_weight
from softres.harness.probe import ProbeContext
from softres.linalg.spectrum import spectrum
from softres.matrices import as_matrix
from softres.problems import make_problem
from softres.solvers.approximate.approx_newton import ApproxNewton
from softres.theory.predictions import CONTRACTION

if TYPE_CHECKING:
    from softres.data.instance import Instance

__all__ = ["BASIN", "CONTRACTING_STEPS", "TESTS", "array_file", "measure"]

#: The start that the lemma allows: M |x0 - x*| <= 0.1 l.
BASIN = 0.1
#: One step that contracts by 0.4, by column: the norm it is seen in, and whether it is exact.
CONTRACTING_STEPS = {
    "exact_H": ("H", True),
    "exact_l2": ("l2", True),
    "approx_H": ("H", False),
    "approx_l2": ("l2", False),
}
#: All tests of a start.
TESTS = (*CONTRACTING_STEPS, "converges")
#: How many times nearer than the edge of the ball a scan begins, at most.
SCAN_RANGE = 8.0


@dataclass(frozen=True)
class Ball:
    """Radii 0.1 l / M around one x*.

    Attributes
    ----------
    proven
        For the M that is proven here; 0 where none is.
    local
        For the M that is measured near x*, a lower bound of the true one.
    inside
        Whether the weights are the theorem's. Where they are, M proven is small enough to judge
        by; below them it is not, and the measured one has to do.
    """

    proven: float
    local: float
    inside: bool

    @property
    def radius(self) -> float:
        """The radius that the tests are judged by."""
        return self.proven if self.inside else self.local


def array_file(test: str, *, inside: bool) -> str:
    """Return the name of the arrays of the start that fails a test worst."""
    return f"{test}_{'theorem' if inside else 'practical'}"


def measure(context: ProbeContext) -> pd.DataFrame:
    """Measure the radii of every instance and direction, for one seed and R."""
    settings, options = context.settings, context.settings.experiment
    R = settings.R
    assert R is not None  # synthetic data always have it
    tables = []
    worst: dict[str, float] = {}
    for structure in options["structures"]:
        data = Synthetic(**structure)
        instance = make_synthetic(settings.n, settings.d, R, settings.seed, data)
        singular = spectrum(as_matrix(instance.A))
        bare = make_problem("softres", instance.A, instance.b)
        for level in options["levels"]:
            theorem = level == "theorem"
            rule = (
                WeightOptions("theorem", constant=settings.weights.constant, l=settings.weights.l)
                if theorem
                else WeightOptions("relative", float(level))
            )
            w2 = squared_weight(rule, bare, singular.sigma_min)
            facts = {
                "seed": settings.seed,
                "n": settings.n,
                "d": settings.d,
                "R": R,
                "rows": data.rows,
                "condition": data.condition,
                "level": str(level),
                "inside": theorem,
                "eps0": float(options["eps0"]),
            }
            rows = _instance(context, instance, R, w2, worst, inside=theorem)
            tables.append(pd.DataFrame([facts | row for row in rows]))
    return pd.concat(tables, ignore_index=True)


def _instance(
    context: ProbeContext,
    instance: Instance,
    R: float,
    w2: float,
    worst: dict[str, float],
    *,
    inside: bool,
) -> list[Any]:
    settings, options = context.settings, context.settings.experiment
    problem = make_problem("softres", instance.A, instance.b, sqrt(w2))
    x, certificate = find_minimiser(problem, problem.zeros())
    near = Near(problem, x, ApproxNewton(eps0=float(options["eps0"])), settings.seed)
    directions = near.directions(int(options["random"]), context.rng("directions"))
    l = certificate.smallest_eigenvalue  # noqa: E741 - the paper's letter
    scale = 1.0 / R
    balls = ProvenBalls.of(problem)
    assert balls is not None  # soft-residual regression is what they are proven for
    local, M = local_radius(near, [p for _, p in directions], scale, BASIN * l)
    ball = Ball(balls.reach(x, l, BASIN), local, inside)
    shared = {
        "certified": certificate.certified,
        "norm_x": float(np.linalg.norm(x)),
        "l": l,
        "M": M,
        "log10_recalled": log10(BASIN * l) - log10_recalled(problem.n, R, problem.at(x).log_alpha),
        "log10_proven": _log10(ball.proven),
        "log10_local": _log10(ball.local),
        "log10_ball": _log10(ball.radius),
        # Starts nearer to x* than this cannot be told from it in double precision.
        "log10_floor": _log10(near.floor),
    }
    rows: list[dict[str, Any]] = []
    for kind, p in directions:
        row: dict[str, Any] = {"kind": kind}
        for name, radius in _radii(near, p, scale, ball).items():
            row |= {name: radius.value, f"{name}_failed": radius.failed}
            row |= _failure(near, p, name, radius)
            share = radius.failed / ball.radius if ball.radius > near.floor else inf
            file = array_file(name, inside=inside)
            if share <= min(1.0, worst.get(file, inf)):
                worst[file] = share
                arrays = {"A": instance.A, "b": instance.b, "w2": w2, "minimiser": x}
                context.keep(file, **arrays, ball=ball.radius, **_step(near, p, name, radius))
        rows.append(shared | row)
    return rows


def _radii(near: Near, p: Any, scale: float, ball: Ball) -> dict[str, Radius]:
    # A small ball is looked into, as far as its distances are more than rounding.
    lowest = max(near.floor, min(LOWEST * scale, ball.radius / SCAN_RANGE))

    def one_step(norm: str, *, exact: bool) -> Radius:
        return largest_radius(
            lambda r: near.factor(p, r, norm, exact=exact) <= CONTRACTION, scale, lowest
        )

    found = {name: one_step(norm, exact=exact) for name, (norm, exact) in CONTRACTING_STEPS.items()}
    converges = largest_radius(lambda r: near.converges(p, r), scale, lowest)
    return found | {"converges": converges}


def _step(near: Near, p: Any, name: str, radius: Radius) -> dict[str, Any]:
    """Return the start that fails, and the point after its first step where there is one."""
    start = near.x + radius.failed * p
    _, exact = CONTRACTING_STEPS.get(name, ("", True))
    after = near.step(start, exact=exact)
    return {"x": start} if after is None else {"x": start, "x_next": after}


def _failure(near: Near, p: Any, name: str, radius: Radius) -> dict[str, float]:
    """Return the factor of the first step that fails, and how far off its Hessian is."""
    if name not in CONTRACTING_STEPS or radius.failed == inf:
        return {}
    norm, exact = CONTRACTING_STEPS[name]
    found = {f"{name}_factor": near.factor(p, radius.failed, norm, exact=exact)}
    if not exact:
        found[f"{name}_error"] = near.error(near.x + radius.failed * p)
    return found


def _log10(value: float) -> float:
    return log10(value) if value > 0 else -inf
