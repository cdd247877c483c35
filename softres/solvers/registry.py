"""The solvers by the names that the command line and :func:`softres.solve` use."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from softres.common.checks import choice
from softres.common.errors import InputError
from softres.solvers.approximate.approx_newton import ApproxNewton
from softres.solvers.base import Solver
from softres.solvers.exact_newton import ExactNewton, ResNetNewton, SoftmaxNewton
from softres.solvers.gradient_descent import GradientDescent
from softres.solvers.outside.scipy_baselines import ScipyLBFGS, ScipyNewtonCG, ScipyTrustNCG
from softres.solvers.outside.torch_lbfgs import TorchLBFGS
from softres.solvers.preconditioned.preconditioned_newton import PreconditionedNewton

__all__ = ["SOLVERS", "make_solver"]

#: Every solver; a new one is a class in a module of its own and a line here.
SOLVERS: dict[str, type[Solver]] = {
    solver.name: solver
    for solver in (
        ExactNewton,
        PreconditionedNewton,
        ApproxNewton,
        GradientDescent,
        SoftmaxNewton,
        ResNetNewton,
        ScipyLBFGS,
        ScipyTrustNCG,
        ScipyNewtonCG,
        TorchLBFGS,
    )
}


def make_solver(name: str, **options: Any) -> Solver:
    """Return the solver of that name with its options.

    Raises
    ------
    InputError
        If the name or an option is unknown, or an option's value is out of range.
    """
    choice("solver", name, SOLVERS)
    solver = SOLVERS[name]
    known = [field.name for field in fields(solver)] if options else []
    for option in options:
        if option not in known:
            allowed = ", ".join(known) if known else "none"
            raise InputError(f"solver.{option}: {name} has no such option; its options: {allowed}")
    return solver(**options)
