"""Losses written down once more, and their derivatives from torch and from 50-digit arithmetic."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from math import nan
from typing import Any

import numpy as np
import numpy.typing as npt

from experiments.claims.closed_forms.formulas import MODELS
from softres.harness.probe import ProbeContext
from softres.problems import Problem, make_problem

__all__ = [
    "DIGITS",
    "ProblemPoint",
    "autodiff",
    "has_mpmath",
    "multiprecision",
    "problem_points",
    "relative_error",
]

Array = npt.NDArray[np.float64]
#: Decimal digits of the reference, and the step of its central differences: the error of both
#: together is below 1e-30.
DIGITS, STEP = 60, "1e-18"


@dataclass(frozen=True)
class ProblemPoint:
    """One point of one problem.

    Attributes
    ----------
    model
        A name of :data:`MODELS`.
    A, b, w, x
        Shapes (n, d), (n,), (n,) and (d,).
    """

    model: str
    A: Array
    b: Array
    w: Array
    x: Array

    @property
    def problem(self) -> Problem:
        """The library's problem."""
        name, _, variant = self.model.partition("-")
        options = {"link" if name == "rescaled" else "branch": variant} if variant else {}
        return make_problem(name, self.A, self.b, self.w, **options)

    @property
    def arrays(self) -> dict[str, Array]:
        """What is kept of a counterexample."""
        return {"A": self.A, "b": self.b, "w": self.w, "x": self.x}


def problem_points(context: ProbeContext, model: str) -> Iterator[ProblemPoint]:
    """Yield ``experiment.cases`` points with |A| = R and |x| <= R, where alpha >= 0.1 n.

    Nearer to the pole alpha = 0 the problem itself, not the closed form, loses digits.
    """
    options = context.settings
    n, d = options.n, options.d
    R = 1.0 if options.R is None else options.R
    rng = context.rng(f"cases {model}")
    count = 0
    while count < int(options.experiment["cases"]):
        A = rng.standard_normal((n, d))
        A *= R / np.linalg.norm(A, 2)
        x = rng.standard_normal(d)
        x *= R * rng.random() / np.linalg.norm(x)
        if model == "softres" and float((np.exp(A @ x) + A @ x).sum()) < 0.1 * n:
            continue
        b = rng.dirichlet(np.ones(n))
        w = 10.0 ** rng.uniform(-4, 0) * rng.random(n)
        count += 1
        yield ProblemPoint(model, A, b, w, x)


def autodiff(case: ProblemPoint) -> tuple[Array, Array]:
    """Return gradient and Hessian from torch's automatic differentiation in float64."""
    import torch

    A, b, w, x = (torch.tensor(a) for a in case.arrays.values())

    def loss(x: Any) -> Any:
        z = A @ x
        u = MODELS[case.model](torch, z)
        problem = case.problem
        c = u / u.sum() - b if problem.normalised else u - len(b) * b
        if problem.rescaled:
            c = u - u.sum() * b
        return 0.5 * (c @ c + ((w * z) ** 2).sum())

    # Not torch.func: it loads torch.jit, which newer Pythons warn of.
    functional: Any = torch.autograd.functional
    return functional.jacobian(loss, x).numpy(), functional.hessian(loss, x).numpy()


def has_mpmath() -> bool:
    """Whether mpmath, an extra of the tests, is installed."""
    return find_spec("mpmath") is not None


def multiprecision(case: ProblemPoint, *, second: bool) -> Array:
    """Return the gradient, or the Hessian, from central differences with 60 digits.

    Shape (d,) or (d, d); NaN without mpmath.
    """
    d = len(case.x)
    if not has_mpmath():
        return np.full((d, d) if second else (d,), nan)
    import mpmath

    with mpmath.workdps(DIGITS):
        rows = [[mpmath.mpf(float(a)) for a in row] for row in case.A]
        b = [mpmath.mpf(float(value)) for value in case.b]
        w = [mpmath.mpf(float(value)) for value in case.w]
        x = [mpmath.mpf(float(value)) for value in case.x]
        step = mpmath.mpf(STEP)
        problem = case.problem

        def loss(*moves: tuple[int, int]) -> Any:
            at = list(x)
            for j, sign in moves:
                at[j] += sign * step
            z = [mpmath.fdot(row, at) for row in rows]
            u = [MODELS[case.model](mpmath, value) for value in z]
            alpha = mpmath.fsum(u)
            scale = 1 / alpha if problem.normalised else mpmath.mpf(1)
            share = alpha if problem.rescaled else 1 if problem.normalised else len(b)
            fit = mpmath.fsum((ui * scale - share * bi) ** 2 for ui, bi in zip(u, b, strict=True))
            return (fit + mpmath.fsum((wi * zi) ** 2 for wi, zi in zip(w, z, strict=True))) / 2

        if not second:
            return np.array([float((loss((j, 1)) - loss((j, -1))) / (2 * step)) for j in range(d)])
        hessian = np.empty((d, d))
        for j in range(d):
            for k in range(j + 1):
                corners = (loss((j, s), (k, t)) * (s * t) for s in (1, -1) for t in (1, -1))
                hessian[j, k] = hessian[k, j] = float(mpmath.fsum(corners) / (4 * step**2))
        return hessian


def relative_error(actual: Any, expected: Any) -> float:
    """Return the largest difference over the largest entry; 0 where both are 0."""
    scale = float(np.abs(expected).max())
    difference = float(np.abs(np.asarray(actual) - expected).max())
    return difference / scale if scale > 0 else difference
