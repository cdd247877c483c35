"""Newton's method on one block of targets: shared products with A, a factor for each target."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from math import inf
from typing import Any

import numpy as np
import numpy.typing as npt
from array_api_compat import array_namespace

from softres.backends import as_numpy
from softres.linalg import CholeskyFactor
from softres.problems import Problem
from softres.solvers.many.factors import Factors
from softres.solvers.many.model import RowModel, chunks
from softres.solvers.many.rays import search_rays
from softres.solvers.result import Status

__all__ = ["Block", "Ended", "start_block", "step_block"]

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

#: Price of a target's Gram matrix in steps: a new factor about doubles the digits that a step
#: gains, so it pays where twice as many steps are left with the old one.
PRICE = 4.0
#: Contraction worse than which a factor is renewed in any case.
SLOW = 0.5
#: Slow steps in a row with new Gauss-Newton factors after which the Hessian itself is tried.
PATIENCE = 3
#: Slow steps in a row after which a target is left to be solved alone.
GIVE_UP = 25


@dataclass
class Block:
    """Targets that are still being solved; entry i of everything belongs to target ``ids[i]``.

    Attributes
    ----------
    ids
        Their columns of B.
    x, x0, gradient
        Iterates, starts and gradients as rows, shape (k, d), of A's kind.
    z, targets
        A x and b (n b for plain problems) as rows, shape (k, n), of A's kind.
    value, gradient0, estimate, seconds, steps
        Losses, norms of the gradients at the start, estimated relative errors, seconds and steps.
    left, rate
        |g| in the norm of M^-1, and the factor by which the last step shrank it.
    fresh
        Whether the last step's factor was new.
    gauss_newton, double
        Which matrix to factor next, and whether in double precision.
    slow
        Slow steps in a row.
    """

    ids: npt.NDArray[np.int64]
    x: Any
    x0: Any
    z: Any
    targets: Any
    gradient: Any
    value: Floats
    gradient0: Floats
    estimate: Floats
    seconds: Floats
    steps: npt.NDArray[np.int64]
    left: Floats
    rate: Floats
    fresh: Flags
    gauss_newton: Flags
    double: Flags
    slow: npt.NDArray[np.int64]
    factors: npt.NDArray[np.object_]

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, keep: Flags) -> Block:
        """Return the chosen targets."""
        return replace(self, **{f.name: getattr(self, f.name)[keep] for f in fields(self)})

    def norms(self) -> Floats:
        """Euclidean norms of the gradients, shape (k,)."""
        xp = array_namespace(self.gradient)
        with np.errstate(all="ignore"):
            return np.sqrt(as_numpy(xp.vecdot(self.gradient, self.gradient)).astype(np.float64))
