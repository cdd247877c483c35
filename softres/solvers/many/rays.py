"""A line search on many rays at once, each target with a step length of its own."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from softres.common.arrays import array_namespace
from softres.matrices.backends import as_numpy
from softres.problems import Problem
from softres.solvers.many.model import RowModel, chunks
from softres.solvers.steps.line_search import APPROXIMATE, SUFFICIENT, rounding

__all__ = ["RaySteps", "search_rays"]

Floats = npt.NDArray[np.float64]

#: Spread of A p over the rows that a first trial keeps within for a normalised problem: f changes
#: by ratios of up to exp(8), and beyond that a model linear in p says nothing of it.
REACH = 8.0
#: Trials before giving up: 2^-40 of a step is no step.
MAX_TRIALS = 40


class RaySteps(NamedTuple):
    """Where each search ended.

    Attributes
    ----------
    t
        Step lengths, shape (k,); 0 where no decrease was found.
    value
        Losses there, shape (k,).
    gradient_z
        Gradients in z there, shape (k, n), of A's kind; 0 where t = 0.
    """

    t: Floats
    value: Floats
    gradient_z: Any


def search_rays(
    problem: Problem,
    targets: Any,
    z: Any,
    ap: Any,
    value0: Floats,
    slope0: Floats,
    w2: Any = None,
) -> RaySteps:
    """Backtrack on z + t A p, by halves, to a sufficient decrease of the loss.

    The rules are those of :func:`softres.solvers.steps.line_search.search`: Armijo's, or where the
    loss is flat to rounding the slope's. No trial reads A, and only rays whose search goes on are
    evaluated again.

    Parameters
    ----------
    problem
        Any of the targets' problems.
    targets, z, ap
        Targets, A x and A p as rows, shape (k, n).
    value0, slope0
        Losses and directional derivatives at t = 0, shape (k,).
    w2
        Weights as rows, shape (k, n), where they are not the problem's for all.
    """
    xp = array_namespace(z)
    t, value = np.ones(len(value0)), value0.copy()
    if problem.normalised:
        with np.errstate(all="ignore"):
            spread = as_numpy(xp.max(ap, axis=1) - xp.min(ap, axis=1)).astype(np.float64)
            t = np.minimum(1.0, REACH / np.maximum(spread, REACH))
    gradient_z = xp.zeros_like(z)
    pending = np.flatnonzero((slope0 < 0) & np.isfinite(t))
    for _ in range(MAX_TRIALS):
        going = np.ones(len(pending), dtype=bool)
        for part in chunks(problem, len(pending)):
            rows = pending[part]
            # Rows in sequence are a view, not a copy.
            dense = rows[-1] - rows[0] + 1 == len(rows)
            at = slice(rows[0], rows[-1] + 1) if dense else rows
            along = ap[at]
            there = z[at] + problem.matrix.asarray(t[rows])[:, None] * along
            model = RowModel(problem, there, targets[at], None if w2 is None else w2[at])
            slopes = model.gradient_z
            with np.errstate(all="ignore"):
                slope = as_numpy(xp.vecdot(slopes, along)).astype(np.float64)
                change = model.value - value0[rows]
                # Where rounding blurs the loss its slope is still exact, and it alone decides.
                falls = model.inside & np.where(
                    np.abs(change) <= rounding(problem) * np.abs(value0[rows]),
                    slope <= -APPROXIMATE * slope0[rows],
                    change <= SUFFICIENT * t[rows] * slope0[rows],
                )
            if falls.all():
                gradient_z[at] = slopes
            elif falls.any():
                gradient_z[rows[falls]] = slopes[falls]
            value[rows[falls]] = model.value[falls]
            going[part] = ~falls
        pending = pending[going]
        if not len(pending):
            break
        t[pending] *= 0.5
    found = slope0 < 0
    found[pending] = False
    return RaySteps(np.where(found, t, 0.0), value, gradient_z)
