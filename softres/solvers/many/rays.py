"""A line search on many rays at once, each target with a step length of its own."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from array_api_compat import array_namespace

from softres.backends import as_numpy
from softres.problems import Problem
from softres.solvers.line_search import APPROXIMATE, ROUNDING, SUFFICIENT
from softres.solvers.many.model import RowModel, chunks

__all__ = ["Found", "search_rays"]

Floats = npt.NDArray[np.float64]

#: Slope, over that at the start of the ray, that is small enough to end a search.
SMALL_SLOPE = 0.5
#: Points tried for a small slope; a sufficient decrease is looked for until :data:`TRIALS`.
REFINEMENTS = 4
TRIALS = 40


class Found(NamedTuple):
    """Where each search ended.

    Attributes
    ----------
    t
        Step lengths, shape (k,); 0 where no decrease was found.
    value
        Losses there, shape (k,).
    gradient_z
        Gradients in z there, shape (k, n), of A's kind; undefined where t = 0.
    """

    t: Floats
    value: Floats
    gradient_z: Any


def search_rays(
    problem: Problem, targets: Any, z: Any, ap: Any, value0: Floats, slope0: Floats
) -> Found:
    """Search z + t A p for a sufficient decrease and, where it is cheap, a small slope.

    The rules are those of :func:`softres.solvers.line_search.minimise_along`: Armijo's, or where
    the loss is flat to rounding the slope's. No trial reads A. Only rays whose search goes on are
    evaluated again.

    Parameters
    ----------
    problem
        Any of the targets' problems.
    targets, z, ap
        Targets, A x and A p as rows, shape (k, n).
    value0, slope0
        Losses and directional derivatives at t = 0, shape (k,).
    """
    xp = array_namespace(z)
    k = len(value0)
    t, low, high = np.ones(k), np.zeros(k), np.full(k, np.inf)
    best, best_value = np.zeros(k), value0.copy()
    gradient_z = xp.empty_like(z)
    pending = np.flatnonzero(slope0 < 0)
    for trial in range(1, TRIALS + 1):
        value, slope = np.empty(len(pending)), np.empty(len(pending))
        falls = np.empty(len(pending), dtype=bool)
        for part in chunks(problem, len(pending)):
            rows = pending[part]
            # One target at a time is a view, not a copy.
            at = slice(rows[0], rows[-1] + 1) if rows[-1] - rows[0] + 1 == len(rows) else rows
            along = ap[at]
            lengths = problem.matrix.asarray(t[rows])
            model = RowModel(problem, z[at] + lengths[:, None] * along, targets[at])
            slopes = model.gradient_z
            value[part] = model.value
            with np.errstate(all="ignore"):
                slope[part] = as_numpy(xp.vecdot(slopes, along))
                falls[part] = model.inside & _falls(
                    model.value - value0[rows], value0[rows], t[rows] * slope0[rows],
                    slope[part] / slope0[rows],
                )
            if falls[part].all():
                gradient_z[at] = slopes
            elif falls[part].any():
                gradient_z[rows[falls[part]]] = slopes[falls[part]]
        done = pending[falls]
        best[done], best_value[done] = t[done], value[falls]
        relative = slope / slope0[pending]  # 1 at the start of the ray, 0 at a minimum
        ahead = falls & (relative > 0)
        low[pending[ahead]] = t[pending[ahead]]
        high[pending[~ahead]] = t[pending[~ahead]]
        going = ~(falls & (np.abs(relative) <= SMALL_SLOPE))
        if trial >= REFINEMENTS:
            going = best[pending] == 0
        t[pending] = _next(t[pending], low[pending], high[pending], relative, falls)
        pending = pending[going]
        if not len(pending):
            break
    return Found(best, best_value, gradient_z)


def _falls(change: Floats, value0: Floats, first_order: Floats, relative: Floats) -> Any:
    """Whether the loss falls by Armijo's rule, or, flat to rounding, the slope has not turned."""
    flat = np.abs(change) <= ROUNDING * np.abs(value0)
    return np.where(flat, relative >= -APPROXIMATE, change <= SUFFICIENT * first_order)


def _next(t: Floats, low: Floats, high: Floats, relative: Floats, falls: Any) -> Floats:
    """Return the secant's zero of the slope, kept inside the bracket or within four lengths."""
    bounded = np.isfinite(high)
    width = np.where(bounded, high - low, 0.0)
    with np.errstate(all="ignore"):
        secant = t / (1.0 - relative)
    usable = np.isfinite(secant) & (secant > 0)
    guess = np.where(usable, secant, np.where(bounded, low + 0.5 * width, 4.0 * t))
    # Where the loss did not fall the bracket at least halves.
    within = np.clip(guess, low + 0.1 * width, low + np.where(falls, 0.9, 0.5) * width)
    return np.where(bounded, within, np.clip(guess, 1.1 * t, 4.0 * t))
