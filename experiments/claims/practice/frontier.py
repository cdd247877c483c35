"""What one instance looks like at one size of the weights, and how Newton's method fares."""

from __future__ import annotations

from dataclasses import dataclass
from math import log10, sqrt
from typing import Any

import numpy as np
import numpy.typing as npt

from experiments.claims.contraction.constants import ProvenBalls, log10_recalled
from softres.certification.minimiser import find_minimiser
from softres.data.instance import Instance
from softres.linalg.factors import spectral
from softres.linalg.spectrum import Spectrum
from softres.problems import Problem, make_problem
from softres.problems.evaluation import Evaluation
from softres.problems.reference import Certificate, Reference
from softres.solvers import Result, Solver, make_solver, solve
from softres.theory.assumptions import lowest_log_alpha

__all__ = [
    "BASIN",
    "EPS",
    "THEOREM",
    "WeightedInstance",
    "falls",
    "local_contraction",
    "measure_case",
]

Vector = npt.NDArray[np.float64]

#: The level of the theorem's own weights in the tables' column ``level``.
THEOREM = "theorem"
#: The relative error that is asked of the solvers.
EPS = 1e-10
#: The start of the theorem: M |x0 - x*| <= 0.1 l.
BASIN = 0.1
#: Nodes of the quadrature along the segment from 0 to x*.
NODES = 40
#: Relative error from which a step counts as local, and up to which it is above rounding.
LOCAL, FLOOR = 1e-2, 1e-11


@dataclass(frozen=True)
class WeightedInstance:
    """An instance with a weight.

    Attributes
    ----------
    instance, spectrum
        A and b, and the singular values of A.
    w2
        The weight w^2, the same for every row.
    R
        The radius that the theorem is read with.
    problem
        Name of the problem.
    """

    instance: Instance
    spectrum: Spectrum
    w2: float
    R: float
    problem: str = "softres"

    def build(self) -> Problem:
        """Return the problem."""
        return make_problem(self.problem, self.instance.A, self.instance.b, sqrt(self.w2))


def falls(problem: Problem, x: Vector) -> tuple[float, float]:
    """Return L(0) - L(x) and the same of the data term alone.

    Both are integrals of a gradient along the segment (Gauss and Legendre): inside the theorem's
    assumptions the difference of the two values is far below their rounding.
    """
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    z = problem.matrix.matmul(x)
    loss = data = 0.0
    for t, weight in zip(0.5 * (nodes + 1.0), 0.5 * weights, strict=True):
        point = problem.at(t * x, t * z)
        slope = point.gradient_z @ z
        loss -= weight * slope
        data -= weight * (slope - t * (problem.w2 * z) @ z)
    return float(loss), float(data)


def local_contraction(trace: Any, norm: str) -> float:
    """Return the largest factor of a step that starts near x* and ends above rounding."""
    error = trace[f"relative_error_{norm}"].to_numpy(dtype=float)
    before, after = error[:-1], error[1:]
    near = (before <= LOCAL) & (before > FLOOR)
    return float((after[near] / before[near]).max()) if near.any() else float("nan")


def measure_case(case: WeightedInstance, seed: int, eps0: float, l: float) -> dict[str, Any]:  # noqa: E741
    """Return the row of a case: what is left of the data term, and how Newton's method fares."""
    problem = case.build()
    zero = problem.at(problem.zeros())
    x, certificate = find_minimiser(problem, problem.zeros())
    point = problem.at(x)
    loss_fall, data_fall = falls(problem, x)
    row: dict[str, Any] = {
        "w2": case.w2,
        "certified": certificate.certified,
        "norm_x": float(np.linalg.norm(x)),
        "loss_fall": loss_fall / zero.value,
        "data_fall": data_fall / zero.data_value,
        "data_left": point.data_value / point.value,
        "data_curvature": _data_curvature(point),
        "linear_solve_error": _linear_solve_error(zero, x),
        "smallest_eigenvalue": certificate.smallest_eigenvalue,
        "log10_start_over_basin": _start(case, zero, point, certificate),
        "start_proven": _start_proven(problem, x, certificate),
    }
    reference = Reference(problem, x, certificate)
    exact = _solved(reference, make_solver("exact_newton"), seed)
    path = _definiteness(problem, exact[1])
    row |= {"exact_steps": exact[0].steps, "exact_converged": exact[0].status.success} | path
    result, _ = _solved(reference, make_solver("approx_newton", eps0=eps0), seed)
    trace = result.trace
    row |= {
        "approx_steps": result.steps,
        "approx_converged": result.status.success,
        "rows_drawn": float(trace["rows_drawn"].max()) if "rows_drawn" in trace else np.nan,
    }
    for norm in ("l2", "H"):
        row[f"contraction_{norm}"] = _worst(trace, norm)
        row[f"local_contraction_{norm}"] = local_contraction(trace, norm)
    return row | {"strongly_convex": path["path_eigenvalue"] >= l}


def _data_curvature(point: Evaluation) -> float:
    """Return the largest share of the data term in the curvature along any direction.

    The largest |p^T H_data p| / (p^T H_data+ p + p^T A^T W^2 A p): 0 where the weights are all
    there is, 1 where they are nothing.
    """
    problem = point.problem
    weights = problem.matrix.gram(problem.w2)
    values, vectors = np.linalg.eigh(point.hessian() - weights)
    size = (vectors * np.abs(values)) @ vectors.T
    total, basis = np.linalg.eigh(size + weights)
    seen = total > len(total) * np.finfo(np.float64).eps * total[-1]  # the rest is rounding
    whiten = basis[:, seen] / np.sqrt(total[seen])
    return float(np.linalg.eigvalsh(whiten.T @ size @ whiten)[-1])


def _linear_solve_error(zero: Evaluation, x: Vector) -> float:
    """Return the relative error of one linear solve with A^T W^2 A: the data term as a constant."""
    problem = zero.problem
    if not float(problem.w2.min()) > 0:
        return float("inf")
    linear = -np.linalg.solve(problem.matrix.gram(problem.w2), zero.gradient)
    return float(np.linalg.norm(linear - x) / np.linalg.norm(x))


def _start(
    case: WeightedInstance, zero: Evaluation, point: Evaluation, certificate: Certificate
) -> float:
    """Return log10 of M |x0 - x*| over 0.1 l, M recalled: the start is allowed up to 0."""
    if not certificate.smallest_eigenvalue > 0:
        return float("inf")
    lowest = lowest_log_alpha(zero, point)
    M = log10_recalled(zero.problem.n, case.R, lowest)
    distance = float(np.linalg.norm(point.x - zero.x))
    return M + log10(distance) - log10(BASIN * certificate.smallest_eigenvalue)


def _start_proven(problem: Problem, x: Vector, certificate: Certificate) -> bool:
    """Whether M |x0 - x*| <= 0.1 l holds for x0 = 0 and the M that is proven here."""
    balls, l = ProvenBalls.of(problem), certificate.smallest_eigenvalue  # noqa: E741
    if balls is None or not l > 0:
        return False
    return float(np.linalg.norm(x)) <= balls.reach(x, l, BASIN)


def _solved(reference: Reference, solver: Solver, seed: int) -> tuple[Result, list[Vector]]:
    visited: list[Vector] = []
    result = solve(
        reference.problem,
        solver,
        eps=EPS,
        max_steps=100,
        seed=seed,
        reference=reference,
        callback=lambda row, point: visited.append(np.asarray(point.x)),
    )
    return result, visited


def _definiteness(problem: Problem, visited: list[Vector]) -> dict[str, float]:
    """Return the fewest-signed Hessian met along the iterates of exact Newton."""
    negative, lowest = 0, float("inf")
    for x in visited:
        factor = spectral(problem.at(x).hessian())
        if factor is not None:
            negative = max(negative, factor.negative)
            lowest = min(lowest, float(factor.values[0]))
    return {"negative_eigenvalues": negative, "path_eigenvalue": lowest}


def _worst(trace: Any, norm: str) -> float:
    """Return the largest factor of any step that starts above rounding."""
    error = trace[f"relative_error_{norm}"].to_numpy(dtype=float)
    before, after = error[:-1], error[1:]
    above = before > FLOOR
    return float((after[above] / before[above]).max()) if above.any() else float("nan")
