"""One solve on real data, measured against x* and against the minimiser that it ends near."""

from __future__ import annotations

from math import inf, nan, sqrt
from typing import Any

import numpy as np
import numpy.typing as npt

from softres.data.instance import Instance
from softres.harness.prepare import Prepared
from softres.linalg.definite import definite
from softres.matrices.backends import as_numpy
from softres.problems.evaluation import Evaluation
from softres.problems.reference import Reference
from softres.solvers import make_solver, solve
from softres.theory import check_assumptions

__all__ = ["DECADES", "fit_of", "instance_columns", "residuals", "solve_once"]

#: Relative errors, in powers of ten, whose steps are noted.
DECADES = (2, 4, 6, 8)
#: Relative distance from x* within which a solve has found the same minimiser.
SAME_MINIMISER = 1e-3
#: Rows kept for tables of residuals and for the figure of an attention row.
KEPT_ROWS = 40


def solve_once(
    prepared: Prepared,
    null: npt.NDArray[np.float64],
    name: str,
    eps: float,
    time_limit: float,
    seed: int,
) -> tuple[dict[str, Any], npt.NDArray[np.float64]]:
    """Solve as a user would, by the solver's own estimate of its error.

    Parameters
    ----------
    prepared
        The instance with its x*.
    null
        Orthonormal basis of A's null space, shape (d, k).
    name
        The solver.
    eps
        The accuracy asked for.
    time_limit
        Seconds of solver time.
    seed
        Of the solver.

    Returns
    -------
    row, trace
        A row for the table, and an array of shape (steps + 1, 2): solver seconds, and the error
        relative to the start in the norm of the Hessian at x*.
    """
    problem = prepared.problem
    reference = Reference(problem, prepared.minimiser, prepared.certificate)
    last: list[Evaluation] = []

    def look_at(row: Any, point: Evaluation) -> dict[str, float]:
        last[:] = [point]
        return {"error": reference.errors(point)["H"]}

    result = solve(
        problem,
        make_solver(name),
        prepared.x0,
        eps=eps,
        max_steps=10_000,
        time_limit=time_limit,
        seed=seed,
        callback=look_at,
    )
    errors = np.array([float(row["error"]) for row in result.rows])
    errors = errors / errors[0] if errors[0] > 0 else errors
    seconds = np.array([float(row["solve_seconds"]) for row in result.rows])
    end = result.rows[-1]
    read = [row["rows_distinct"] for row in result.rows if "rows_distinct" in row]
    same = bool(errors[-1] <= SAME_MINIMISER)
    row = {
        "solver": name,
        "status": result.status.value,
        "steps": result.steps,
        "seconds": float(seconds[-1]),
        "passes": end["passes"],
        "grams": end["grams"],
        "loss": end["loss"],
        # Of a method that samples: the share of rows that a sample has.
        "rows_read": float(np.median(read)) / problem.n if read else nan,
        "error": float(errors[-1]),
        "same": same,
        "left": float(errors[-1]) if same else _left(last[0], prepared.x0, null),
    }
    for decade in DECADES:
        at = _first(errors, 10.0**-decade) if same else None
        row[f"steps_{decade}"] = nan if at is None else float(at)
        row[f"seconds_{decade}"] = nan if at is None else float(seconds[at])
    return row, np.column_stack([seconds, errors])


def _first(errors: npt.NDArray[np.float64], goal: float) -> int | None:
    """Return the step from which on the error is at most the goal."""
    above = np.flatnonzero(errors > goal)
    first = int(above[-1]) + 1 if len(above) else 0
    return first if first < len(errors) else None


def _left(point: Evaluation, x0: Any, null: npt.NDArray[np.float64]) -> float:
    """Estimate the relative error to the minimiser that a point is near; inf at none.

    Newton's decrement over the distance from the start, in the norm of the point's own Hessian.
    """
    factor = definite(point.hessian(), null)
    if factor is None:
        return inf
    gradient, moved = as_numpy(point.gradient), as_numpy(point.x) - x0
    travelled = float(moved @ (factor.matrix @ moved))
    decrement = float(gradient @ factor.solve(gradient))
    return sqrt(max(0.0, decrement) / travelled) if travelled > 0 else inf


def instance_columns(prepared: Prepared, R: float | None, weights: Any) -> dict[str, Any]:
    """Return what is the same for every solver: size, spectra, fit, and the assumptions."""
    instance, certificate, spectrum = prepared.instance, prepared.certificate, prepared.spectrum
    n, d = instance.shape
    start, best = prepared.problem.at(prepared.x0), prepared.problem.at(prepared.minimiser)
    checks = check_assumptions(
        start=start,
        minimum=best,
        spectrum=spectrum,
        R=R if R is not None else spectrum.sigma_max,
        weights=weights,
        smallest_eigenvalue=certificate.smallest_eigenvalue,
    )
    definite_at = certificate.negative == 0 and certificate.smallest_eigenvalue > 0
    return {
        "n": n,
        "d": d,
        "nnz": instance.nnz,
        "rank": spectrum.rank,
        "condition_A": spectrum.condition,
        "certified": certificate.certified,
        "definite": definite_at and certificate.rank == spectrum.rank,
        "negative": certificate.negative,
        "smallest": certificate.smallest_eigenvalue,
        "condition": certificate.largest_eigenvalue / certificate.smallest_eigenvalue
        if definite_at
        else inf,
        "reference_error": certificate.estimated_error,
        "best": best.value,
        **fit_of(best, start),
        **{f"holds_{check.id}": check.holds for check in checks},
    }


def fit_of(best: Evaluation, start: Evaluation) -> dict[str, float]:
    """Return how well the model at a minimiser matches the target.

    ``relative_loss`` is |f - b|^2 at x* over that at x0. For normalised problems ``kl`` is
    sum b log(b / f) in nats over the rows where f > 0, and ``unfit`` the share of b on the others.
    """
    found = {"relative_loss": best.data_value / start.data_value, "kl": nan, "unfit": nan}
    if best.problem.normalised:
        b, f = as_numpy(best.problem.target), as_numpy(best.f)
        seen = (b > 0) & (f > 0)
        found["kl"] = float(b[seen] @ np.log(b[seen] / f[seen]))
        found["unfit"] = float(b[(b > 0) & (f <= 0)].sum())
    return found


def residuals(instance: Instance, best: Evaluation) -> dict[str, npt.NDArray[Any]]:
    """Return the rows that are fitted worst and those with the largest target, with their names."""
    target, f = as_numpy(best.problem.target), as_numpy(best.f)
    worst = np.argsort(-np.abs(f - target), kind="stable")[:KEPT_ROWS]
    heaviest = np.argsort(-target, kind="stable")[:KEPT_ROWS]
    names = instance.labels
    kept: dict[str, npt.NDArray[Any]] = {}
    for key, rows in (("worst", worst), ("heaviest", heaviest)):
        named = [str(row) if names is None else str(names[int(row)]) for row in rows]
        kept |= {key: np.array(named), f"{key}_b": target[rows], f"{key}_f": f[rows]}
    return kept
