"""Many problems of one kind and one shape, each with an A of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from array_api_compat import is_torch_array

from softres.common.arrays import array_namespace
from softres.common.checks import choice, host_values, shown
from softres.common.errors import InputError
from softres.matrices import DenseNumpy, DenseTorch, given_array
from softres.problems.problem import Problem
from softres.problems.registry import PROBLEMS, make_problem

__all__ = ["Instances"]


class Instances:
    """k problems of one kind and shape, for experiments that repeat a small one a thousand times.

    Minimises L(x; A_i, b_i, w_i) for every i; :func:`softres.solve` takes all of them together.

    Parameters
    ----------
    A
        Shape (k, n, d): NumPy, or a torch tensor. It is referred to where it is float64.
    B
        Targets, shape (k, n), each as for one problem.
    w
        As for one problem and the same for all; or shape (k, 1) or (k, n), for each its own.
    problem
        One of the names of :data:`softres.problems.registry.PROBLEMS`.
    **options
        Those of the problem's class, such as ``branch="tanh"``.

    Attributes
    ----------
    first
        The first of them: link, beta and all that follows from n are everyone's.
    A, B, w
        Shapes (k, n, d), (k, n), and (k, n) or (k, 1) where one w is for all rows of an instance;
        in float64 and of A's kind.

    Raises
    ------
    InputError
        As for one problem; the line names the instance.

    Examples
    --------
    >>> import numpy as np, softres
    >>> rng = np.random.default_rng(0)
    >>> A, B = rng.standard_normal((100, 50, 3)) / 5, rng.dirichlet(np.ones(50), size=100)
    >>> result = softres.solve(softres.Instances(A, B, w=0.01))
    >>> result.X.shape, result.success
    ((100, 3), True)
    """

    def __init__(
        self, A: Any, B: Any, w: Any = None, *, problem: str = "softres", **options: Any
    ) -> None:
        A, B = host_values("A", A), host_values("B", B)
        if A.ndim != 3 or min(A.shape) < 1:
            raise InputError(f"A must have shape (k, n, d), not {tuple(A.shape)}")
        if tuple(B.shape) != tuple(A.shape[:2]):
            raise InputError(f"B must have shape {tuple(A.shape[:2])}, not {tuple(B.shape)}")
        choice("problem", problem, PROBLEMS)
        self.name, self.options = problem, options
        self.A: Any = A.double() if is_torch_array(A) else np.asarray(A, dtype=np.float64)
        layer: Any = self.A[:, :, 0]
        rows = DenseTorch(layer) if is_torch_array(A) else DenseNumpy(layer)
        self.B = given_array(rows, "B", B, tuple(B.shape))
        self.w = self._weights(rows, w)
        self.first: Problem = self.one(0)
        if self.first.layers > 1:
            raise InputError(f"layers={self.first.layers}: instances are solved with layers=1")
        for i, usable in enumerate(self._usable()):
            if not usable:
                self.one(i)

    @classmethod
    def of(cls, problems: Sequence[Any]) -> Instances:
        """Return a list of problems as one stack; A is copied.

        Raises
        ------
        InputError
            If they are not all of one kind, with the same options, over dense A of one shape.
        """
        if not problems:
            raise InputError("an empty list: hand in at least one problem")
        first: Problem = problems[0]
        for number, one in enumerate(problems):
            if not (isinstance(one, Problem) and isinstance(one.matrix, DenseNumpy | DenseTorch)):
                raise InputError(
                    f"problem {number}={shown(one)}: allowed are problems over dense A"
                )
            if _kind(one) != _kind(first):
                raise InputError(
                    f"problem {number}={shown(one)}: problems that are solved together are of one "
                    f"kind and shape, and the first is {shown(first)}"
                )
        stack = cls.__new__(cls)
        xp = array_namespace(first.b)
        stack.name, stack.options, stack.first = first.name, {}, first
        entries = [
            one.matrix.array if isinstance(one.matrix, DenseNumpy) else one.matrix.tensor
            for one in problems
            if isinstance(one.matrix, DenseNumpy | DenseTorch)
        ]
        parts = (entries, [one.b for one in problems], [one.w for one in problems])
        stack.A, stack.B, stack.w = (xp.astype(xp.stack(part), xp.float64) for part in parts)
        stack._given = tuple(problems)
        return stack

    _given: tuple[Problem, ...] = ()

    def _weights(self, rows: DenseNumpy | DenseTorch, w: Any) -> Any:
        """Return the weights' roots, shape (k, n)."""
        shapes: list[tuple[int, ...]] = [(), (self.k, 1), (self.k, self.n)]
        if w is not None and tuple(np.shape(w)) == (self.n,):
            w = w[None, :]
            shapes.append((1, self.n))
        given = rows.asarray(0.0) if w is None else given_array(rows, "w", w, *shapes)
        per_row = given.ndim == 2 and given.shape[1] > 1
        return given + 0.0 * (self.B if per_row else self.B[:, :1])

    def _usable(self) -> list[bool]:
        """Return whether each is sure to be a problem; others are looked at one by one."""
        xp, A, B, w = array_namespace(self.A), self.A, self.B, self.w
        with np.errstate(all="ignore"):
            sizes = xp.sqrt(xp.sum(A * A, axis=1))
            fine = xp.all((sizes > 1e-90) & (sizes < 1e90), axis=1)
            fine &= xp.all(xp.isfinite(w * w) & xp.isfinite(B), axis=1)
            if PROBLEMS[self.name].coupled():
                fine &= xp.all(B >= 0, axis=1) & (xp.sum(B, axis=1) <= 1.0 + 1e-12)
            else:
                fine &= xp.all(xp.isfinite(self.n * B), axis=1)
        usable: list[bool] = fine.tolist()
        return usable

    @property
    def k(self) -> int:
        """Problems."""
        return int(self.A.shape[0])

    @property
    def n(self) -> int:
        """Rows of each A."""
        return int(self.A.shape[1])

    @property
    def d(self) -> int:
        """Columns of each A."""
        return int(self.A.shape[2])

    def one(self, i: int) -> Problem:
        """Return problem i alone.

        Raises
        ------
        InputError
            If its data cannot be used.
        """
        if self._given:
            return self._given[i]
        w = self.w[i] if self.w.shape[1] == self.n else float(self.w[i, 0])
        try:
            return make_problem(self.name, self.A[i], self.B[i], w, **self.options)
        except InputError as error:
            raise InputError(f"instance {i}: {error}") from None

    def targets(self, which: Any) -> Any:
        """Return the targets of some problems as rows: n B for plain ones."""
        return self.B[which] if self.first.coupled() else self.n * self.B[which]

    def start(self) -> Any:
        """Return every problem's own start, shape (k, d): 0, but for cosh."""
        xp = array_namespace(self.A)
        if self.first.name != "cosh":
            return 0.0 * self.A[:, 0, :]
        return xp.stack([self.one(i).start() for i in range(self.k)])


def _kind(problem: Problem) -> tuple[Any, ...]:
    """Return what problems that are solved together have in common."""
    link, matrix = problem.link, problem.matrix
    branch = getattr(link, "branch", None)
    shared = (type(problem), problem.name, type(link), branch, problem.beta)
    return (*shared, matrix.shape, type(matrix))
