"""Solvers: one file a method, one loop for all of them."""

from softres.solvers.base import Solver, State, Tools
from softres.solvers.many import InstancesResult, ManyResult
from softres.solvers.registry import SOLVERS, make_solver
from softres.solvers.result import Result, Status
from softres.solvers.solve import solve

__all__ = [
    "SOLVERS",
    "InstancesResult",
    "ManyResult",
    "Result",
    "Solver",
    "State",
    "Status",
    "Tools",
    "make_solver",
    "solve",
]
