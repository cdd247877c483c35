"""The problems by the names that the command line and :func:`softres.make_problem` use."""

from __future__ import annotations

from collections.abc import Mapping
from inspect import Parameter, signature
from typing import Any

from softres.common.checks import choice
from softres.common.discovery import Catalogue
from softres.common.errors import InputError
from softres.problems.problem import Problem

__all__ = ["PROBLEMS", "make_problem"]

#: Every problem by its name, imported when it is looked up.
PROBLEMS: Mapping[str, type[Problem]] = Catalogue("problem")


def make_problem(name: str, A: Any, b: Any, w: Any = None, **options: Any) -> Problem:
    """Return the problem of that name over A, b and w; options are those of its class.

    Raises
    ------
    InputError
        If the name is unknown, or an input cannot be used.

    Examples
    --------
    >>> import numpy as np
    >>> make_problem("resnet", np.eye(3, 2), np.ones(3), branch="gelu")
    <ResNetRegression, 3 x 2, numpy, no weights>
    """
    choice("problem", name, PROBLEMS)
    kind = PROBLEMS[name]
    known = [
        key
        for key, parameter in signature(kind).parameters.items()
        if parameter.kind is Parameter.KEYWORD_ONLY
    ]
    for option in options:
        if option not in known:
            raise InputError(f"{option}: {name} has no such option; its options: {known or 'none'}")
    return kind(A, b, w, **options)
