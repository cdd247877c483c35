"""The model of several targets, each at a point of its own: one row of n entries a target."""

from __future__ import annotations

from collections.abc import Iterator
from math import inf, log
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from softres.common.arrays import array_namespace
from softres.matrices.backends import as_numpy
from softres.problems import Problem
from softres.problems.links import NormalisableLink

__all__ = ["Curvatures", "RowModel", "chunks"]

Floats = npt.NDArray[np.float64]

#: Bytes of one work array: a few of them stay in a core's cache between two operations.
CHUNK_BYTES = 1 << 17
#: The same for torch, whose operations cost more to start.
TORCH_CHUNK_BYTES = 64 << 20
#: Sums alpha outside [1 / ALPHA_RANGE, ALPHA_RANGE] are formed anew, with their row scaled.
ALPHA_RANGE = 1e150


class Curvatures(NamedTuple):
    """diag(D) + v h^T + h v^T for each target, as rows: shape (k, n)."""

    diagonal: Any
    v: Any | None
    h: Any | None


def chunks(problem: Problem, count: int) -> Iterator[slice]:
    """Yield slices of ``count`` targets such that work arrays of a slice fit a cache."""
    on_host = problem.matrix.backend == "numpy"
    budget = CHUNK_BYTES if on_host else TORCH_CHUNK_BYTES
    step = max(1, budget // (8 * problem.n))
    for start in range(0, count, step):
        yield slice(start, min(start + step, count))


class RowModel:
    """Values, gradients and curvatures of k targets at z, with the formulas of one.

    The formulas are those of :class:`softres.problems.evaluation.Evaluation` (Lemmas 4.1, 5.2 and
    5.4 of arXiv 2309.13482), for a row a target.

    Parameters
    ----------
    problem
        Any of the targets' problems: link, weights and beta are everyone's.
    z
        A x as rows, shape (k, n).
    targets
        b as rows, n b for plain problems, shape (k, n).
    w2
        Weights as rows, shape (k, n), or (k, 1) where each has one for all its rows; by default
        the problem's for all.

    Attributes
    ----------
    log_alpha
        log(alpha) of each, shape (k,), on the host; 0 if not normalised.
    value
        The losses, shape (k,), on the host.
    inside
        Whether each loss is defined and finite there, shape (k,), on the host.
    """

    def __init__(self, problem: Problem, z: Any, targets: Any, w2: Any = None) -> None:
        self.problem, self.z, self.targets = problem, z, targets
        xp = array_namespace(z)
        w2 = problem.w2 if w2 is None else w2
        self._weighted = w2 if bool(xp.any(w2 != 0)) else None
        self.log_alpha: Floats = np.zeros(len(z))
        with np.errstate(all="ignore"):  # leaving the range of doubles is reported by `inside`
            u, v, e = problem.link.evaluate(z)
            inside: Any = True
            if problem.normalised:
                u, v, e, inside = self._normalise(u, v, e)
            self.f, self.v, self.e = u, v, e
            fitted = xp.sum(u, axis=1)[:, None] * targets if problem.rescaled else targets
            self.centred = u - fitted
            squares = xp.vecdot(self.centred, self.centred)
            if problem.coupled():
                self._mean = xp.vecdot(targets if problem.rescaled else u, self.centred)
                self.centred -= self._mean[:, None]
            value = 0.5 * squares
            if self._weighted is not None:
                value = value + 0.5 * _penalty(z, w2)
        self.value: Floats = as_numpy(value).astype(np.float64)
        self.inside: npt.NDArray[np.bool_] = np.isfinite(self.value) & inside

    def _normalise(self, u: Any, v: Any, e: Any) -> tuple[Any, Any, Any, Any]:
        """Divide by alpha, row by row where it leaves the comfortable range of doubles."""
        xp, link = array_namespace(u), self.problem.link
        alpha = xp.sum(u, axis=1)
        host = as_numpy(alpha).astype(np.float64)
        log_alpha = np.log(np.maximum(host, 0.0))
        # u, u' and u'' may be one array: then so are the quotients.
        parts = {id(part): part / alpha[:, None] for part in (u, v, e)}
        f, v, e = parts[id(u)], parts[id(v)], parts[id(e)]
        for row in np.flatnonzero(
            ~((np.abs(host) < ALPHA_RANGE) & (np.abs(host) > 1 / ALPHA_RANGE))
        ):
            assert isinstance(link, NormalisableLink)
            *scaled, m = link.scaled(self.z[row])
            total = float(xp.sum(scaled[0]))
            f[row], v[row], e[row] = (part / total for part in scaled)
            log_alpha[row] = log(total) + float(m) if total > 0 else -inf
        self.log_alpha = log_alpha
        beta = self.problem.beta
        floor = log(beta) if beta > 0 else -inf
        return f, v, e, (log_alpha >= floor) & (log_alpha > -inf)

    @property
    def gradient_z(self) -> Any:
        """The gradients in z, v * q + w^2 * z, shape (k, n)."""
        with np.errstate(all="ignore"):
            gradient = self.v * self.centred
            if self._weighted is not None:
                gradient += self._weighted * self.z
        return gradient

    def curvature(self, gauss_newton: bool) -> Curvatures:
        """Return the Hessians' curvatures in z, or those of their positive Gauss-Newton parts."""
        xp = array_namespace(self.z)
        with np.errstate(all="ignore"):
            diagonal = self.v * self.v
            if not gauss_newton:
                diagonal += self.centred * self.e
            if self._weighted is not None:
                diagonal += self._weighted
            if not self.problem.coupled():
                return Curvatures(diagonal, None, None)
            if self.problem.rescaled:
                half = 0.5 * xp.vecdot(self.targets, self.targets)
                return Curvatures(diagonal, self.v, self.v * (half[:, None] - self.targets))
            half = 0.5 * xp.vecdot(self.f, self.f)
            if gauss_newton:
                return Curvatures(diagonal, self.v, self.v * (half[:, None] - self.f))
            h = self.v * (self.targets - 2.0 * self.f + (half + self._mean)[:, None])
        return Curvatures(diagonal, self.v, h)


def _penalty(z: Any, w2: Any) -> Any:
    """Return |diag(w) z|^2 of each row, shape (k,)."""
    xp = array_namespace(z)
    if w2.ndim == 1:
        return (z * z) @ w2
    return xp.vecdot(z, z) * w2[:, 0] if w2.shape[1] == 1 else xp.vecdot(z * z, w2)
