"""What figures and tables call problems and solvers."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["PROBLEM_LABELS", "SOLVER_LABELS"]

#: The problems that claims compare, by name and in the order of their figures.
PROBLEM_LABELS: Mapping[str, str] = {
    "softres": "soft-residual",
    "softmax": "softmax",
    "resnet": "ResNet-style",
}
#: The solvers of the figure of convergence, by name and in the order of its legend.
SOLVER_LABELS: Mapping[str, str] = {
    "exact_newton": "exact Newton",
    "approx_newton": "approximate Newton",
    "gradient_descent": "gradient descent",
    "scipy_lbfgs": "L-BFGS (SciPy)",
}
