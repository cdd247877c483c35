"""Whole solves on a card, beside what reading A and multiplying would take there at best."""

from __future__ import annotations

from typing import Any, NamedTuple

import softres
from experiments.card.rates import Rates, measure_rates

__all__ = ["SOLVERS", "Shape", "make", "timed"]

SOLVERS = ("preconditioned_newton", "exact_newton", "approx_newton")
#: The relative error that is asked for, by precision.
GOALS = {"float64": 1e-10, "float32": 1e-4}
#: Seconds after which a solve is given up.
TIME_LIMIT = 40.0


class Shape(NamedTuple):
    """Rows and columns of A, its precision, and rows of the matrices that a GEMM is timed with."""

    n: int
    d: int
    dtype: str
    size: int


def make(shape: Shape) -> tuple[Any, Rates]:
    """Return soft-residual regression over Gaussian rows that are made on the card, and rates."""
    import torch

    torch.manual_seed(0)
    dtype = getattr(torch, shape.dtype)
    A = torch.randn((shape.n, shape.d), dtype=dtype, device="cuda")
    A /= shape.d**0.5
    b = torch.rand(shape.n, dtype=dtype, device="cuda")
    rates = measure_rates(A, shape.size)
    return softres.SoftResidualRegression(A, b / b.sum(), 1e-3 / shape.n), rates


def timed(problem: Any, shape: Shape, rates: Rates, solver: str) -> dict[str, Any]:
    """Solve twice, the first time to warm up, and return a row of the table.

    ``floor`` is bytes over bandwidth for every pass over A, three right-hand sides of one reading
    counting as three, and operations over the GEMM's rate for every Gram matrix.
    """
    eps = GOALS[shape.dtype]
    softres.solve(problem, solver, eps=eps, max_steps=2, time_limit=TIME_LIMIT)
    result = softres.solve(problem, solver, eps=eps, time_limit=TIME_LIMIT)
    last = result.trace.iloc[-1]
    size = float(problem.matrix.tensor.element_size() * shape.n * shape.d)
    floor = (
        float(last["passes"]) * size / rates.bytes_per_second
        + float(last["grams"]) * 2.0 * shape.n * shape.d**2 / rates.flops
    )
    seconds = result.seconds["solve"]
    return {
        "solver": solver,
        "n": shape.n,
        "d": shape.d,
        "dtype": shape.dtype,
        "status": result.status.value,
        "steps": result.steps,
        "passes": float(last["passes"]),
        "grams": float(last["grams"]),
        "seconds": seconds,
        "seconds_a_step": seconds / max(1, result.steps),
        "floor": floor,
        "over_floor": seconds / floor,
        "bytes_per_second": rates.bytes_per_second,
        "flops": rates.flops,
        "wait": rates.wait,
    }
