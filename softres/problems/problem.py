"""A regression problem: A, b, w and a link; its value and its derivatives at a point."""

from __future__ import annotations

from copy import copy
from math import inf, isfinite, log, sqrt
from numbers import Number
from typing import Any, ClassVar, cast

import numpy as np
from array_api_compat import device

from softres.common.arrays import array_namespace, copied
from softres.common.checks import check_shares, number
from softres.common.errors import InputError
from softres.matrices import as_matrix, given_array
from softres.problems.evaluation import Evaluation
from softres.problems.links import Cosh, Link, NormalisableLink

__all__ = ["Problem"]


class Problem:
    """A regression problem over A, b and w.

    A is referred to, not copied, and must not change while the problem is in use: its column
    norms, products of the last point and, for a tensor, its transpose are kept, so that a change in
    place would be seen in part. A changed A asks for a new problem. b and w are copied. Several
    threads may solve one problem at once.

    Parameters
    ----------
    A
        n x d: a NumPy array, SciPy sparse array, torch tensor or
        :class:`~softres.matrices.DesignMatrix`.
    b
        Target, shape (n,). For a normalised or rescaled problem shares, none below 0 and their sum
        at most 1 (to the rounding of single precision); of any sign and sum for a plain one, whose
        target is n b.
    w
        Square roots of the regularisation weights: shape (n,), one number for all rows, or
        ``None`` for none. The regularisation is 1/2 |diag(w) A x|^2.
    beta
        The loss counts as undefined where alpha = <u, 1> falls below beta (normalised problems
        only). Default: 1e-6 n, a millionth of alpha at x = 0; for softmax, whose alpha is
        positive, 0.

    Raises
    ------
    InputError
        If an argument is not of such a kind, shapes do not match, a value or a w^2 is not finite,
        beta < 0, or b of a normalised or rescaled problem has a negative entry or a sum above 1.
    """

    name: str
    normalised: ClassVar[bool]
    #: Whether u is compared with alpha b, alpha = <u, 1>, rather than divided by alpha.
    rescaled: ClassVar[bool] = False
    #: Whether f stays the same where all entries of z are moved by one number.
    shift_invariant: bool = False
    #: Whether A must have two factors.
    factored: ClassVar[bool] = False
    #: Entries of z in each row of A: more than one in a model of several layers.
    layers: int = 1
    #: Whether the curvature in z has blocks where that of one A and one target has a diagonal.
    blocks: bool = False

    def __init__(
        self, A: Any, b: Any, w: Any = None, *, link: Link, beta: float | None = None
    ) -> None:
        self.matrix = as_matrix(A)
        self.link = link
        if self.normalised and not isinstance(link, NormalisableLink):
            raise TypeError(f"the link {link.name} cannot be normalised")
        n = self.n
        self.b = self._vector("b", b)
        xp = array_namespace(self.b)
        if self.coupled():
            check_shares("b", float(xp.min(self.b)), self.sum_of_shares())
        # A NaN or an infinity anywhere in A shows in its row sums.
        with np.errstate(invalid="ignore", over="ignore"):
            row_sums = self.matrix._matmul(xp.ones_like(self.zeros()))
        if not bool(xp.all(xp.isfinite(row_sums))):
            raise InputError("A holds NaN or infinite values, or rows whose sums are; none may")
        _ = self.matrix.column_scale  # refuses what is out of range
        if w is None or isinstance(w, Number) or getattr(w, "ndim", None) == 0:
            same = 0.0 if w is None else number("w", _plain(w), "a finite number", isfinite)
            if abs(same) > float(xp.finfo(self.b.dtype).max):
                raise InputError(f"w: its squares leave the range of {self.b.dtype}")
            self.w = xp.full_like(self.b, same)
        else:
            self.w = self._vector("w", w)
        with np.errstate(over="ignore"):
            self.w2 = self.w * self.w
        if not bool(xp.all(xp.isfinite(self.w2))):
            raise InputError(f"w: its squares leave the range of {self.w.dtype}")
        limits = xp.finfo(self.b.dtype)
        self.unit = float(limits.eps)
        self.least = float(limits.smallest_normal) / self.unit
        with np.errstate(over="ignore"):
            self.target = self.b if self.coupled() else n * self.b
        if not bool(xp.all(xp.isfinite(self.target))):
            raise InputError(f"b: the target n b leaves the range of {self.b.dtype}")
        self.beta = 1e-6 * n
        if beta is not None:
            self.beta = number("beta", beta, "a finite number >= 0", lambda value: value >= 0)
        self.log_beta = log(self.beta) if self.beta > 0 else -inf
        self._last: Evaluation | None = None
        self._double: Problem | None = None

    def sum_of_shares(self) -> float:
        """Return the sum of b, the largest where several alphas have shares of their own."""
        return float(self.b.sum())

    def _vector(self, name: str, values: Any) -> Any:
        """Return a copy of b or w, shape (n,), checked and of A's kind."""
        vector = copied(given_array(self.matrix, name, values, (self.n,)))
        xp = array_namespace(vector)
        if not bool(xp.all(xp.isfinite(vector))):
            raise InputError(f"{name} holds NaN or infinite values; all must be finite")
        return vector

    def require_diagonal(self, what: str) -> None:
        """Raise an :class:`InputError` for what asks for a curvature of diagonal plus rank two.

        A model of several layers has blocks there, and so has one with an alpha for each row.
        """
        if self.blocks:
            kind = f"{self.layers} layers" if self.layers > 1 else "an alpha for each row"
            raise InputError(f"{what} is for one layer and one alpha; the problem has {kind}")

    @property
    def blocks_by_layer(self) -> bool:
        """Whether rows of the curvature's blocks are those of several layers."""
        return self.blocks and self.layers > 1

    @classmethod
    def smallest(cls, **options: Any) -> Problem:
        """Return a problem of two rows and one column: the class knows what options may be."""
        return cls(np.eye(2, 1), np.full(2, 0.5), **options)

    @classmethod
    def coupled(cls) -> bool:
        """Whether all rows meet in alpha: b holds shares, and the curvature has a rank-two part."""
        return cls.normalised or cls.rescaled

    @property
    def normalisable(self) -> NormalisableLink:
        """The link of a normalised problem."""
        return cast(NormalisableLink, self.link)

    @property
    def n(self) -> int:
        """Rows of A."""
        return self.matrix.shape[0]

    @property
    def d(self) -> int:
        """Columns of A."""
        return self.matrix.shape[1]

    @property
    def gram_noise(self) -> float:
        """The rounding of a Hessian formed from n rows, relative to a unit diagonal."""
        n, d = self.matrix.shape
        return 10.0 * (d + sqrt(n)) * self.unit

    def with_target(self, b: Any) -> Problem:
        """Return the problem over the same A and w with another b, shape (n,) and of A's kind.

        Nothing is checked or copied: it is for targets that have been looked at already.
        """
        other = copy(self)
        other._double = None
        other.b = b
        other.target = b if self.coupled() else self.n * b
        other._last = None
        return other

    @property
    def in_double(self) -> Problem:
        """The same problem in float64: itself where it is, or where A cannot be."""
        if self._double is not None:
            return self._double
        matrix = self.matrix.in_double()
        if matrix is None:
            return self
        self._double = other = copy(self)
        other.matrix = matrix
        for name in ("b", "w", "w2", "target"):
            setattr(other, name, matrix.asarray(getattr(self, name)))
        xp = array_namespace(other.b)
        limits = xp.finfo(other.b.dtype)
        other.unit, other.least = float(limits.eps), float(limits.smallest_normal) / other.unit
        other._last = None
        return other

    def zeros(self) -> Any:
        """Return x = 0, shape (d,), of A's kind."""
        xp = array_namespace(self.b)
        return xp.zeros(self.d, dtype=self.b.dtype, device=device(self.b))

    def __repr__(self) -> str:
        weights = "weights" if float(self.w2.max()) > 0 else "no weights"
        return f"<{type(self).__name__}, {self.n} x {self.d}, {self.matrix.backend}, {weights}>"

    def start(self) -> Any:
        """Return the x0 that solvers take where none is given, shape (d,): 0.

        But for cosh a small step off it: cosh is even, so 0 is a stationary point whatever b is,
        and mostly a saddle. The step is towards A^T (b - 1/n), where the rows with large targets
        lie, and moves z by at most 0.1.
        """
        if not isinstance(self.link, Cosh):
            return self.zeros()
        xp = array_namespace(self.b)
        with np.errstate(all="ignore"):
            towards = self.matrix.rmatmul(self.b - 1.0 / self.n)
            largest = float(xp.max(xp.abs(towards)))
            if not 0 < largest < inf:
                return self.zeros()
            towards = towards / largest  # products with A of any scale stay in range
            reach = float(xp.max(xp.abs(self.matrix.matmul(towards))))
            return towards * (0.1 / reach) if 0 < reach < inf else self.zeros()

    def at(self, x: Any, z: Any | None = None) -> Evaluation:
        """Return the evaluation at x, shape (d,); ``z`` is A x where it is known."""
        return Evaluation(self, x, z)

    def _at_cached(self, x: Any) -> Evaluation:
        x = given_array(self.matrix, "x", x, (self.d,))
        xp = array_namespace(x)
        last = self._last  # another thread may replace it meanwhile
        if last is None or not bool(xp.all(last.x == x)):
            # A private copy: the caller may change x in place between two calls.
            last = self._last = self.at(copied(x))
        return last

    def value(self, x: Any) -> float:
        """Return the loss at x, shape (d,)."""
        with np.errstate(all="ignore"):
            return self._at_cached(x).value

    def gradient(self, x: Any) -> Any:
        """Return the gradient at x, shape (d,)."""
        with np.errstate(all="ignore"):
            return copied(self._at_cached(x).gradient)

    def hessian(self, x: Any) -> Any:
        """Return the Hessian at x, shape (d, d)."""
        with np.errstate(all="ignore"):
            return self._at_cached(x).hessian()

    def hvp(self, x: Any, p: Any) -> Any:
        """Return the Hessian at x times p, both of shape (d,)."""
        with np.errstate(all="ignore"):
            return self._at_cached(x).hvp(given_array(self.matrix, "p", p, (self.d,)))


def _plain(w: Any) -> Any:
    """Return an array without axes as a number."""
    return w.item() if hasattr(w, "item") else w
