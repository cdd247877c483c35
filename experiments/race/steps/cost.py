"""What a step of the safeguarded Algorithm 1 costs beside exact Newton's, and how it grows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from softres.common.errors import InputError
from softres.harness.keys.digests import solver_digest
from softres.problems import SoftResidualRegression
from softres.solvers import make_solver, solve

__all__ = ["StepCost", "exponents", "measure", "summary"]

#: |A|_2 and |x| of the planted solution.
R = 4.0


@dataclass(frozen=True)
class StepCost:
    """Which steps are measured.

    Attributes
    ----------
    eps0
        Spectral accuracy of the sampled Hessian.
    value
        w^2 over the largest v^2 / alpha^2 at the start.
    eps
        Both solvers run until their own estimate of the error reaches it; a step's price is the
        solve's over its steps, so that leverage scores count however many steps share them.
    repeats
        Solves of each solver, taken in turn.
    """

    eps0: float = 0.25
    value: float = 1e-2
    eps: float = 1e-10
    repeats: int = 5


def gaussian_instance(n: int, d: int, value: float, seed: int) -> SoftResidualRegression:
    """Return a problem whose A has Gaussian rows and |A|_2 near R, made without a second A."""
    rng = np.random.default_rng([seed, n, d])
    A = rng.standard_normal((n, d))
    A *= R / (np.sqrt(n) + np.sqrt(d))
    x = rng.standard_normal(d)
    z = A @ (x * (R / np.linalg.norm(x)))
    b = np.maximum(np.exp(z) + z, 0.0) * np.exp(0.5 * rng.standard_normal(n))
    if not b.any():  # may be so with a handful of rows
        raise InputError(f"{n} x {d}: all of b is 0, drawn at random; raise --ratio")
    b /= b.sum()
    start = SoftResidualRegression(A, b).at(np.zeros(d))
    w2 = value * float(start.gauss_newton_diagonal.max())
    return SoftResidualRegression(A, b, w2**0.5)


def measure(n: int, d: int, options: StepCost, clock: Callable[[], float]) -> Iterator[pd.Series]:
    """Yield one row a solve: solver, n, d, repeat, steps, seconds a step on the clock, and code."""
    problem = gaussian_instance(n, d, options.value, 0)
    solvers = (make_solver("exact_newton"), make_solver("approx_newton", eps0=options.eps0))
    for repeat in range(-1, options.repeats):  # the first is a warm-up
        for solver in solvers:
            start = clock()
            result = solve(problem, solver, eps=options.eps, seed=max(repeat, 0))
            seconds = (clock() - start) / result.steps
            if repeat >= 0:
                yield pd.Series(
                    {
                        "solver": solver.name,
                        "n": n,
                        "d": d,
                        "repeat": repeat,
                        "steps": result.steps,
                        "seconds": seconds,
                        "status": result.status.value,
                        "code": solver_digest(type(solver), type(problem)),
                    }
                )


def summary(rows: pd.DataFrame) -> pd.DataFrame:
    """Return medians by size, and exact Newton's time over Algorithm 1's.

    ``step_ratio`` is that of a step. ``solve_ratio`` is that of the whole solve, of which the two
    need different numbers of steps. ``exact_code`` and ``approx_code`` say of what code they are.

    Raises
    ------
    InputError
        If rows of one solver are of different code.
    """
    codes = {str(name): list(dict.fromkeys(part)) for name, part in rows.groupby("solver")["code"]}
    for name, found in codes.items():
        if len(found) > 1:
            raise InputError(f"rows of {name} are of different code: {', '.join(found)}")
    table = rows.assign(solve=rows["seconds"] * rows["steps"]).pivot_table(
        index=["d", "n"], columns="solver", values=["seconds", "steps", "solve"], aggfunc="median"
    )
    out = pd.DataFrame(
        {
            "exact_seconds": table["seconds"]["exact_newton"],
            "approx_seconds": table["seconds"]["approx_newton"],
            "exact_steps": table["steps"]["exact_newton"],
            "approx_steps": table["steps"]["approx_newton"],
            "step_ratio": table["seconds"]["exact_newton"] / table["seconds"]["approx_newton"],
            "solve_ratio": table["solve"]["exact_newton"] / table["solve"]["approx_newton"],
        }
    ).reset_index()
    out.insert(2, "rows_per_column", out["n"] / out["d"])
    return out.assign(exact_code=codes["exact_newton"][0], approx_code=codes["approx_newton"][0])


def exponents(table: pd.DataFrame, least: float) -> pd.DataFrame:
    """Fit seconds ~ n^p for each d with at least three sizes; one row a d and solver.

    Sizes below n / d = ``least`` are left out: sampled rows do not grow with n, and where they
    are most of a step it hardly does.
    """
    rows = []
    for d in sorted(set(table["d"])):
        part = table[(table["d"] == d) & (table["rows_per_column"] >= least)]
        if len(part) < 3:
            continue
        for solver in ("exact", "approx"):
            fit: npt.NDArray[np.float64] = np.polyfit(
                np.log(part["n"]), np.log(part[f"{solver}_seconds"]), 1
            )
            rows.append({"d": d, "solver": f"{solver}_newton", "exponent": float(fit[0])})
    return pd.DataFrame(rows, columns=["d", "solver", "exponent"])
