"""Many targets over one A: a regression problem of the family for each column of B."""

from __future__ import annotations

from typing import Any

import numpy as np
from array_api_compat import device

from softres.common.arrays import array_namespace, copied
from softres.common.checks import check_shares, choice, host_values
from softres.common.errors import InputError
from softres.matrices import as_matrix, given_array
from softres.problems.links import Cosh
from softres.problems.problem import Problem
from softres.problems.registry import PROBLEMS, make_problem

__all__ = ["ManyTargets"]


class ManyTargets:
    """m problems that share A, w and the link: problem t has the target B[:, t].

    Minimises L(x; A, b_t, w) over x for every t ("multiple softmax regression");
    :func:`softres.solve` takes all of them together.

    Parameters
    ----------
    A
        n x d, as for one problem.
    B
        Targets, shape (n, m), each as for one problem; an array of A's kind or of the host. It is
        referred to, not copied, where its dtype is A's.
    w
        As for one problem; the same for all targets.
    problem
        One of the names of :data:`softres.problems.registry.PROBLEMS`.
    **options
        Those of the problem's class, such as ``branch="tanh"``.

    Attributes
    ----------
    shared
        The problem of the first target; its A, w, link and beta are everyone's.
    B
        The targets, shape (n, m), of A's kind.

    Raises
    ------
    InputError
        As for one problem, or if B has not two axes.

    Examples
    --------
    >>> import numpy as np, softres
    >>> rng = np.random.default_rng(0)
    >>> A, B = rng.standard_normal((50, 3)), rng.dirichlet(np.ones(50), size=4).T
    >>> result = softres.solve(softres.ManyTargets(A, B, w=0.1, problem="softmax"))
    >>> result.X.shape, result.success
    ((3, 4), True)
    """

    def __init__(
        self, A: Any, B: Any, w: Any = None, *, problem: str = "softres", **options: Any
    ) -> None:
        B = host_values("B", B)
        shape = tuple(B.shape)
        if len(shape) != 2 or shape[1] < 1:
            raise InputError(f"B must have shape (n, m), a target in each column, not {shape}")
        matrix = as_matrix(A)
        self.B = given_array(matrix, "B", B, (matrix.shape[0], shape[1]))
        xp = array_namespace(self.B)
        # One sum and one least entry tell what is wrong without an array of B's size.
        with np.errstate(over="ignore", invalid="ignore"):
            sums = xp.sum(self.B, axis=0)
        if not bool(xp.all(xp.isfinite(sums))):
            raise InputError("B holds NaN or infinite values; all must be finite")
        self.name = problem
        choice("problem", problem, PROBLEMS)
        if PROBLEMS[problem].coupled():
            check_shares("B", float(xp.min(self.B)), float(xp.max(sums)))
        self.shared: Problem = make_problem(problem, matrix, self.B[:, 0], w, **options)
        self.shared.require_diagonal("problem of ManyTargets")

    @property
    def n(self) -> int:
        """Rows of A and of B."""
        return self.shared.n

    @property
    def d(self) -> int:
        """Columns of A."""
        return self.shared.d

    @property
    def m(self) -> int:
        """Targets."""
        return int(self.B.shape[1])

    def one(self, t: int) -> Problem:
        """Return the problem of target t alone."""
        return self.shared.with_target(copied(self.B[:, t]))

    def targets(self, columns: slice) -> Any:
        """Return the targets of some columns as rows, shape (k, n): n B for plain problems."""
        xp = array_namespace(self.B)
        rows = xp.empty(
            (self.B[:, columns].shape[1], self.n), dtype=self.B.dtype, device=device(self.B)
        )
        rows[...] = self.B[:, columns].T
        return rows if self.shared.coupled() else self.n * rows

    @property
    def same_start(self) -> bool:
        """Whether all targets start from the same x."""
        return not isinstance(self.shared.link, Cosh)

    def start(self) -> Any:
        """Return the default x0 of every target as columns, shape (d, m): 0, but for cosh."""
        xp = array_namespace(self.B)
        if self.same_start:
            return xp.zeros((self.d, self.m), dtype=self.B.dtype, device=device(self.B))
        return xp.stack([self.one(t).start() for t in range(self.m)], axis=1)
