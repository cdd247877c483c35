"""softres: soft-residual regression, its solvers, and what the theory says of them.

>>> import numpy as np, softres
>>> A = np.random.default_rng(0).standard_normal((50, 3)) / 5
>>> problem = softres.SoftResidualRegression(A, b=np.full(50, 1 / 50), w=0.01)
>>> result = softres.solve(problem, solver="exact_newton", eps=1e-10)
>>> result.status.value
'converged'

``solve`` minimises a problem and returns a ``Result`` with a ``Status``; ``certify`` proves what
can be proven of a minimiser. Problems: ``SoftResidualRegression``, ``SoftmaxRegression``,
``ResNetRegression``, ``HyperbolicRegression``, ``RescaledRegression``, ``MultiLayerRegression`` and
``MatrixRegression``; many at once: ``ManyTargets`` over one A, ``Instances`` with one each.
``results`` has logged runs as data. What cannot be used is an ``InputError`` of one line.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from softres.certification.minimiser import certify
    from softres.common.errors import InputError
    from softres.problems import (
        HyperbolicRegression,
        MatrixRegression,
        MultiLayerRegression,
        RescaledRegression,
        ResNetRegression,
        SoftmaxRegression,
        SoftResidualRegression,
        make_problem,
    )
    from softres.problems.instances import Instances
    from softres.problems.many_targets import ManyTargets
    from softres.problems.reference import Reference
    from softres.solvers import InstancesResult, ManyResult, Result, Status, solve

__version__ = "0.2.0"

_HOMES = {
    "HyperbolicRegression": "softres.problems",
    "InputError": "softres.common.errors",
    "Instances": "softres.problems.instances",
    "InstancesResult": "softres.solvers",
    "ManyResult": "softres.solvers",
    "ManyTargets": "softres.problems.many_targets",
    "MatrixRegression": "softres.problems",
    "MultiLayerRegression": "softres.problems",
    "Reference": "softres.problems.reference",
    "RescaledRegression": "softres.problems",
    "ResNetRegression": "softres.problems",
    "Result": "softres.solvers",
    "SoftResidualRegression": "softres.problems",
    "SoftmaxRegression": "softres.problems",
    "Status": "softres.solvers",
    "make_problem": "softres.problems",
    "certify": "softres.certification.minimiser",
    "solve": "softres.solvers",
}

__all__ = [
    "HyperbolicRegression",
    "InputError",
    "Instances",
    "InstancesResult",
    "ManyResult",
    "ManyTargets",
    "MatrixRegression",
    "MultiLayerRegression",
    "Reference",
    "ResNetRegression",
    "RescaledRegression",
    "Result",
    "SoftResidualRegression",
    "SoftmaxRegression",
    "Status",
    "certify",
    "make_problem",
    "solve",
]


def __getattr__(name: str) -> Any:
    """Import a public name on first use: ``run.py --help`` must not wait for NumPy and SciPy."""
    if name == "results":
        return import_module("softres.results")
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'softres' has no attribute '{name}'")


def __dir__() -> list[str]:
    """Return the public names, for Tab."""
    return sorted(__all__)
