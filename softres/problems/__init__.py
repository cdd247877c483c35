"""The family of regression problems: one evaluation for all, told apart by a link."""

from softres.problems.matrix_form import MatrixRegression
from softres.problems.multilayer import MultiLayerRegression
from softres.problems.problem import Problem
from softres.problems.registry import PROBLEMS, make_problem
from softres.problems.regressions import (
    HyperbolicRegression,
    ResNetRegression,
    SoftmaxRegression,
    SoftResidualRegression,
)
from softres.problems.rescaled import RescaledRegression

__all__ = [
    "PROBLEMS",
    "HyperbolicRegression",
    "MatrixRegression",
    "MultiLayerRegression",
    "Problem",
    "ResNetRegression",
    "RescaledRegression",
    "SoftResidualRegression",
    "SoftmaxRegression",
    "make_problem",
]
