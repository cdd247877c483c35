"""The solvers by the names that the command line and :func:`softres.solve` use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from softres.common.checks import choice
from softres.common.discovery import Catalogue
from softres.common.errors import InputError
from softres.solvers.base import Solver

__all__ = ["SOLVERS", "make_solver"]

#: Every solver by its name, imported when it is looked up.
SOLVERS: Mapping[str, type[Solver]] = Catalogue("solver")


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
