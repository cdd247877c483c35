"""What figures and tables call problems and solvers."""

from __future__ import annotations

from collections.abc import Mapping

from softres.results.figures.labels import value

__all__ = ["PROBLEM_LABELS", "SOLVER_LABELS", "solver_label"]

#: The problems that claims compare, by name and in the order of their figures.
PROBLEM_LABELS: Mapping[str, str] = {
    "softres": "soft-residual",
    "softmax": "softmax",
    "resnet": "ResNet-style",
}


def solver_label(name: str) -> str:
    """Return what every figure calls a solver, those of a sweep of one's own among them."""
    return value(name)


#: The solvers of the figure of convergence, by name and in the order of its legend.
SOLVER_LABELS: Mapping[str, str] = {
    name: solver_label(name)
    for name in ("exact_newton", "approx_newton", "gradient_descent", "scipy_lbfgs")
}
