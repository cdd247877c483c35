"""Algorithm 1 to the letter, ``variant=paper``, at every size of the weights: draws and runs.

Near x* a step multiplies the error by I - H~^-1 H, whose norms are the factor in the worst
direction: of each sample drawn, and with A^T D A itself in the place of A^T D~ A, of what is lost
by dropping the rank-two part alone. Runs begin at x0 = 0 and have their T steps.

At the weights that are stated, w^2 = 200 exp(R^2) + l / sigma_min^2, rounding would be all that is
left of w^2 - |B|: there the sandwich is known to hold, by a margin of many orders.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import inf, sqrt
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from experiments.claims.algorithm.sandwich_weights import needed, stated
from experiments.claims.algorithm.step_factors import step_factors
from experiments.claims.practice.frontier import FLOOR, falls
from softres.certification.minimiser import find_minimiser
from softres.data.instance import Instance
from softres.data.seeds import stream
from softres.data.sets.synthetic import Synthetic, make_synthetic
from softres.harness.probe import ProbeContext
from softres.linalg.spectrum import spectrum
from softres.matrices import as_matrix
from softres.problems import Problem, make_problem
from softres.problems.reference import Certificate, Reference
from softres.sketching import approximate_scores, sample_rows
from softres.solvers import solve
from softres.solvers.approximate.approx_newton import ApproxNewton
from softres.solvers.approximate.literal_step import planned_steps
from softres.theory.predictions import CONTRACTION

__all__ = ["SANDWICH", "STATED", "measure"]

#: Levels of w^2 by name: the family's own, and the smallest with the sandwich at x0 and at x*.
STATED, SANDWICH = "stated", "sandwich"
#: Rounds that bring w^2 and the x* that it has together, and the factor by which w^2 exceeds it.
ROUNDS, MARGIN = 30, 1.01


@dataclass(frozen=True)
class Case:
    """An instance with a weight, and its minimiser.

    Attributes
    ----------
    instance
        A and b.
    problem
        With its weights.
    x, certificate
        The minimiser.
    """

    instance: Instance
    problem: Problem
    x: npt.NDArray[np.float64]
    certificate: Certificate

    @classmethod
    def of(cls, instance: Instance, w2: float) -> Case:
        """Return the case of a weight w^2."""
        problem = make_problem("softres", instance.A, instance.b, sqrt(w2))
        return cls(instance, problem, *find_minimiser(problem, problem.zeros()))

    def sandwich(self) -> float:
        """Return the w^2 that the sandwich needs at x0 = 0 and at x*."""
        points = (self.problem.zeros(), self.x)
        return max(needed(self.problem.at(x)) for x in points)


def measure(context: ProbeContext) -> pd.DataFrame:
    """Draw and run at every size of the weights, for one seed and R.

    Returns
    -------
    One row a draw or run, ``part``. ``factor_H``, ``factor_l2``: of a draw in the worst direction
    near x*, of a run the largest of its steps; infinite for a draw that is not to be had. ``kept``:
    the share of the rows; where it is 1 nothing is left to chance, and one stands for all.
    ``failed``: of a draw whether factor_H exceeds 0.4, of a run whether it missed eps within T.
    ``dropped_H``, ``dropped_l2``: the factors without sampling. ``negative_start``,
    ``negative_minimiser``: entries of D below 0. ``needed``: the sandwich's w^2.
    """
    rows: list[dict[str, Any]] = []
    own = context.settings.experiment
    solver = ApproxNewton(variant="paper", eps0=float(own["eps0"]), delta=float(own["delta"]))
    worst: dict[str, float] = {}
    for common, case in _cases(context):
        level = common["level"]
        if not case.certificate.certified:
            rows.append(common | {"part": "none", "certified": False})
            continue
        seed = stream(context.settings.seed, str(sorted(common.items())))
        facts = common | _facts(case)
        eps = context.settings.eps
        draws = _draws(case, solver, eps, _count(own["draws"], level), seed)
        runs = _runs(case, solver, eps, _count(own["runs"], level), seed)
        found = [facts | row for row in (*draws, *runs)]
        rows += found
        for norm in ("H", "l2"):
            key = f"{level}_{norm}"
            factor = max(row[f"factor_{norm}"] for row in found)
            if level in (STATED, SANDWICH) and factor > worst.get(key, 0.0):
                worst[key] = factor
                data = case.instance
                context.keep(key, A=data.A, b=data.b, w2=facts["w2"], x=case.x, factor=factor)
    return pd.DataFrame(rows)


def _count(counts: Mapping[str, Any], level: str) -> int:
    """Return how many repetitions a level has; one without its own is outside."""
    return int(counts.get(level, counts["outside"]))


def _cases(context: ProbeContext) -> Iterator[tuple[dict[str, Any], Case]]:
    """Yield every structure of A at every size of the weights."""
    settings = context.settings
    R = settings.R
    assert R is not None  # synthetic data always have it
    for structure in settings.experiment["structures"]:
        chosen = dict(structure)
        n = int(chosen.pop("n", settings.n))
        data = Synthetic(**chosen)
        instance = make_synthetic(n, settings.d, R, settings.seed, data)
        sigma_min = spectrum(as_matrix(instance.A)).sigma_min
        bare = make_problem("softres", instance.A, instance.b)
        unit = float(bare.at(bare.start()).gauss_newton_diagonal.max())
        kind = {"R": R, "n": n, "rows": data.rows, "condition": data.condition, "unit": unit}
        largest = stated(R, sigma_min, settings.weights.l)
        yield kind | {"level": STATED}, Case.of(instance, largest)
        yield kind | {"level": SANDWICH}, _smallest(instance, needed(bare.at(bare.start())))
        for level in settings.experiment["levels"]:
            yield kind | {"level": f"{level:g}"}, Case.of(instance, float(level) * unit)


def _smallest(instance: Instance, w2: float) -> Case:
    """Return the case of the smallest w^2 with the sandwich, from one that x0 needs."""
    case = Case.of(instance, MARGIN * w2)
    for _ in range(ROUNDS):
        w2 = case.sandwich()
        if w2 <= float(case.problem.w2.max()):
            break
        case = Case.of(instance, MARGIN * w2)
    return case


def _facts(case: Case) -> dict[str, Any]:
    problem = case.problem
    start, point = problem.at(problem.zeros()), problem.at(case.x)
    D = np.asarray(point.curvature.diagonal)
    H = np.asarray(point.hessian())
    in_H, in_l2 = step_factors(np.asarray(problem.matrix.gram(D)), H)
    w2 = float(problem.w2.max())
    bare = make_problem("softres", case.instance.A, case.instance.b)
    return {
        "w2": w2,
        "relative": w2 / float(bare.at(bare.start()).gauss_newton_diagonal.max()),
        "needed": max(needed(bare.at(x)) for x in (problem.zeros(), case.x)),
        "certified": case.certificate.certified,
        "condition_H": case.certificate.largest_eigenvalue / case.certificate.smallest_eigenvalue,
        "negative_start": int((start.curvature.diagonal < 0).sum()),
        "negative_minimiser": int((D < 0).sum()),
        "dropped_H": in_H,
        "dropped_l2": in_l2,
        "loss_fall": falls(problem, case.x)[0] / start.value,
    }


def _draws(
    case: Case, solver: ApproxNewton, eps: float, count: int, seed: int
) -> Iterator[dict[str, Any]]:
    """Yield samples at x*, each with scores of its own."""
    point, matrix = case.problem.at(case.x), case.problem.matrix
    D, H = np.asarray(point.curvature.diagonal), np.asarray(point.hessian())
    rng = np.random.default_rng(seed)
    s = solver.sample_size(case.problem.d, eps)
    if not D.min() >= 0:
        # Nothing to draw from: one row says so.
        yield {"part": "draw", "factor_H": inf, "factor_l2": inf, "failed": 1, "kept": 0.0}
        return
    for _ in range(count):  # the first is like all others where every row is kept
        sample = sample_rows(approximate_scores(matrix, np.sqrt(D), rng), s, rng)
        in_H, in_l2 = step_factors(np.asarray(sample.gram(matrix, D)), H)
        kept = len(sample.index) / len(D)
        yield {"part": "draw", "factor_H": in_H, "factor_l2": in_l2, "kept": kept} | {
            "failed": int(not in_H <= CONTRACTION)
        }
        if kept == 1.0:
            return


def _runs(
    case: Case, solver: ApproxNewton, eps: float, count: int, seed: int
) -> Iterator[dict[str, Any]]:
    """Yield runs from x0 = 0, each with random numbers of its own."""
    reference = Reference(case.problem, case.x, case.certificate)
    T = planned_steps(eps)
    for number in range(count):
        own = stream(seed, "run", number)
        result = solve(case.problem, solver, eps=eps, max_steps=T, seed=own, reference=reference)
        steps = [
            after
            for before, after in zip(result.rows, result.rows[1:], strict=False)
            if before["relative_error_H"] > FLOOR
        ]
        factors = {
            f"factor_{norm}": max((row[f"contraction_{norm}"] for row in steps), default=0.0)
            for norm in ("H", "l2")
        }
        kept = result.rows[-1].get("rows_distinct", 0.0) / case.problem.n
        yield factors | {
            "part": "run",
            "status": result.status.value,
            "steps": result.steps,
            "T": T,
            "failed": int(not result.status.success),
            "kept": kept,
        }
        if kept == 1.0:
            return
