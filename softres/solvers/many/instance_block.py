"""One block of small problems: what is known of each, and a Newton step with all of them."""

from __future__ import annotations

from dataclasses import dataclass
from math import log
from typing import Any

import numpy as np
import numpy.typing as npt

from softres.common.arrays import array_namespace, copied
from softres.common.errors import InputError
from softres.matrices.backends import as_numpy
from softres.problems.instances import Instances
from softres.solvers.many.model import RowModel
from softres.solvers.many.rays import REACH, search_rays
from softres.solvers.many.stacks import Inverses, invert
from softres.solvers.optimality.boundary import NEAR_BOUNDARY
from softres.solvers.optimality.examination import TRUSTED
from softres.solvers.result import Status
from softres.solvers.steps.line_search import APPROXIMATE, SUFFICIENT, rounding

__all__ = ["InstanceBlock"]

#: Square of the contraction worse than which a step counts as slow, and how many in a row are
#: taken before an instance is solved alone.
SLOW, GIVE_UP = 0.5, 6

Flags = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]


@dataclass
class InstanceBlock:
    """Instances that are still being solved; row i of everything belongs to instance ``ids[i]``.

    A holds their transposes, shape (k, d, n): rows of n entries are long, and rows of d are not.
    z is A x, formed anew at every point.
    """

    problem: Instances
    ids: npt.NDArray[np.int64]
    A: Any
    scale: Any
    w2: Any
    targets: Any
    z0: Any
    x: Any
    z: Any
    gauss_newton: Flags
    decrement: Floats
    slow: npt.NDArray[np.int64]
    _known: tuple[RowModel, Any] | None = None

    @classmethod
    def at(cls, problem: Instances, ids: npt.NDArray[np.int64], starts: Any) -> InstanceBlock:
        """Return neighbouring instances at their starts, shape (k, d) of all of them.

        Raises
        ------
        InputError
            If a start lies where the loss is undefined.
        """
        xp = array_namespace(starts)
        part = slice(int(ids[0]), int(ids[-1]) + 1)
        w = problem.w[part]
        A = xp.permute_dims(problem.A[part], (0, 2, 1))
        A = np.ascontiguousarray(A) if isinstance(A, np.ndarray) else A.contiguous()
        # A column of zeros takes the size of the longest; see DesignMatrix.column_scale.
        norms = xp.sqrt(xp.vecdot(A, A))
        longest = xp.max(norms, axis=1)[:, None]
        longest = xp.where(longest > 0, longest, xp.ones_like(longest))
        scale = xp.where(norms > 0, norms, longest + 0.0 * norms)
        x = copied(starts[part])
        z = _product(A, x)
        none, unknown = np.zeros(len(ids), dtype=np.int64), np.full(len(ids), np.inf)
        parts = (A, scale, w * w, problem.targets(part), z, x, z)
        block = cls(problem, ids, *parts, none > 0, unknown, none)
        inside = block.model(z).inside
        if not inside.all():
            raise InputError(
                f"the start x0 of instance {ids[np.flatnonzero(~inside)[0]]} lies where the loss "
                "is undefined: alpha = <u, 1> must be at least beta = "
                f"{problem.first.beta:.3g} and all values finite"
            )
        return block

    def model(self, z: Any) -> RowModel:
        """Return what follows from z, shape (k, n)."""
        return RowModel(self.problem.first, z, self.targets, self.w2)

    def take(self, keep: Flags) -> InstanceBlock:
        """Return the chosen instances."""
        if keep.all():
            return self
        at: Any = np.flatnonzero(keep)
        if not isinstance(self.A, np.ndarray):
            at = array_namespace(self.A).asarray(at, device=self.A.device)
        kept = (self.A, self.scale, self.w2, self.targets, self.z0, self.x, self.z)
        on_host = (self.gauss_newton, self.decrement, self.slow)
        parts = [*(part[at] for part in kept), *(part[keep] for part in on_host)]
        return InstanceBlock(self.problem, self.ids[keep], *parts)

    def step(
        self, X: Any, statuses: list[Status], steps: npt.NDArray[np.int64], eps: float,
        max_steps: int, alone: Flags,
    ) -> InstanceBlock:  # fmt: skip
        """Look at every instance, take a step with those that go on, and return these."""
        xp = array_namespace(self.A)
        model, gradient = self._known or self._looked_at(self.z)
        self._known = None
        found, quadratic = self._curvature(model, self.z - self.z0)
        solved = _product(found.inverse, gradient, transposed=True)
        decrement = _host(xp.vecdot(gradient, solved))
        travelled = np.sqrt(np.maximum(quadratic, 0.0))
        exact = found.definite & ~self.gauss_newton
        near = exact & (np.sqrt(np.maximum(decrement, 0.0)) <= eps * travelled)
        sure = near & (found.smallest > TRUSTED) & self._clear(model, travelled, eps)
        limit = ~near & (steps[self.ids] >= max_steps)
        for which, status in ((sure, Status.CONVERGED), (limit, Status.STEP_LIMIT)):
            for i in self.ids[which]:
                statuses[i] = status
        self.slow = np.where(decrement > SLOW * self.decrement, self.slow + 1, 0)
        self.decrement = decrement
        going = ~(sure | limit | near) & found.definite & (decrement > 0) & model.inside
        going &= self.slow < GIVE_UP
        X[self.ids] = self.x
        moved = self._move(model, solved, np.where(going, decrement, 0.0))
        alone[self.ids[~(sure | limit | moved)]] = True
        steps[self.ids[moved]] += 1
        return self.take(moved)

    def _move(self, model: RowModel, solved: Any, decrement: Floats) -> Flags:
        """Step along -H^-1 g where the decrement is positive; return which have moved.

        The rules are those of :func:`softres.solvers.many.rays.search_rays`. Full steps, which
        most are, are evaluated at once and for good.
        """
        xp, problem = array_namespace(self.A), self.problem.first
        x = self.x - solved
        z = _product(self.A, x)
        # From the gradient in x: the rounding of z would hide a slope that is all but none.
        there, gradient = self._looked_at(z)
        slope = -_host(xp.vecdot(gradient, solved))
        change = there.value - model.value
        full = (
            there.inside
            & (decrement > 0)
            & np.where(
                np.abs(change) <= rounding(problem) * np.abs(model.value),
                slope <= APPROXIMATE * decrement,
                change <= -SUFFICIENT * decrement,
            )
        )
        if problem.normalised:
            moves = z - self.z
            full &= _host(xp.max(moves, axis=1) - xp.min(moves, axis=1)) <= REACH
        wanted = decrement > 0
        if full.all():
            self.x, self.z, self._known = x, z, (there, gradient)
            return full
        t = full.astype(float)
        at = np.flatnonzero(wanted & ~full)
        if len(at):
            part = self.take(wanted & ~full)
            ap = -_product(part.A, solved[at])
            values, slopes = model.value[at], -decrement[at]
            t[at] = search_rays(problem, part.targets, part.z, ap, values, slopes, part.w2).t
        self.x = self.x - problem.matrix.asarray(t)[:, None] * solved
        self.z = _product(self.A, self.x)
        return wanted & (t > 0)

    def _looked_at(self, z: Any) -> tuple[RowModel, Any]:
        """Return what follows from z, and the gradients in x."""
        model = self.model(z)
        return model, _product(self.A, model.gradient_z, transposed=True)

    def _curvature(self, model: RowModel, travelled: Any) -> tuple[Inverses, Floats]:
        """Return the inverses of the Hessians, and their quadratic forms in z along the ways.

        Where one is not definite, that of the Gauss-Newton matrix.
        """
        found, quadratic = self._inverses(model, travelled, False)
        self.gauss_newton = ~found.definite
        if not found.definite.all():
            part = self.take(self.gauss_newton)
            other, _ = part._inverses(part.model(part.z), 0.0 * part.z, True)
            at = array_namespace(self.A).asarray(self.gauss_newton, device=self.A.device)
            found.inverse[at] = other.inverse
            found.definite[self.gauss_newton] = other.definite
        return found, quadratic

    def _inverses(
        self, model: RowModel, travelled: Any, gauss_newton: bool
    ) -> tuple[Inverses, Floats]:
        xp, first = array_namespace(self.A), self.problem.first
        curvature = model.curvature(gauss_newton)
        D, v, h = curvature.diagonal, curvature.v, curvature.h
        H = xp.matmul(self.A * D[:, None, :], xp.permute_dims(self.A, (0, 2, 1)))
        squares = self.scale * self.scale
        size = xp.max(xp.abs(xp.linalg.diagonal(H)) / squares, axis=1)
        form = xp.vecdot(D, travelled * travelled)
        if v is not None and h is not None:
            left, right = (_product(self.A, side, transposed=True) for side in (v, h))
            outer = left[:, :, None] * right[:, None, :]
            H += outer
            H += xp.permute_dims(outer, (0, 2, 1))
            form = form + 2.0 * xp.vecdot(v, travelled) * xp.vecdot(h, travelled)
        # What the rank-two part cancels leaves the rounding of what was there before.
        size = xp.maximum(size, xp.max(xp.linalg.diagonal(H) / squares, axis=1))
        return invert(H, self.scale, first.gram_noise * size), _host(form)

    def _clear(self, model: RowModel, travelled: Floats, eps: float) -> Flags:
        """Whether each point lies inside the domain, and no rounding hides an error at it."""
        problem, xp = self.problem.first, array_namespace(self.A)
        clear = np.ones(len(self.ids), dtype=bool)
        if problem.normalised and np.isfinite(problem.log_beta):
            clear &= model.log_alpha - problem.log_beta > log(NEAR_BOUNDARY)
        if problem.shift_invariant:
            # As softres.solvers.optimality.rounding.rounding_along_shift.
            ridge = problem.n * _host(xp.mean(self.w2, axis=1))
            share = xp.vecdot(model.f, model.f - self.targets)
            sizes = xp.abs(model.f - self.targets) + xp.abs(share)[:, None]
            cancelled = _host(xp.vecdot(xp.abs(model.f), sizes))
            hidden = problem.unit * cancelled / np.sqrt(ridge)
            clear &= (ridge <= 0) | (hidden <= eps * travelled)
        return clear


def _product(A: Any, x: Any, transposed: bool = False) -> Any:
    """Return A_i x_i, or A_i^T x_i, for each i; from A_i^T, of shape (d, n)."""
    xp = array_namespace(A)
    if transposed:
        return xp.matmul(A, x[:, :, None])[:, :, 0]
    return xp.matmul(x[:, None, :], A)[:, 0, :]


def _host(values: Any) -> Floats:
    return as_numpy(values).astype(np.float64, copy=False)
