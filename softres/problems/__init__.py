"""The family of regression problems: one evaluation for all, told apart by a link."""

from softres.problems.problem import Problem
from softres.problems.regressions import (
    PROBLEMS,
    HyperbolicRegression,
    ResNetRegression,
    SoftmaxRegression,
    SoftResidualRegression,
    make_problem,
)

__all__ = [
    "PROBLEMS",
    "HyperbolicRegression",
    "Problem",
    "ResNetRegression",
    "SoftResidualRegression",
    "SoftmaxRegression",
    "make_problem",
]
