"""The family of losses once more, in any arithmetic: no fault of softres can hide itself here.

Everything is measured in z = A x over an orthonormal basis of A's range. That depends neither on
the size of A's columns nor on their mixture.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from extended import Arithmetic

__all__ = ["Frame", "Loss"]


@dataclass(frozen=True)
class Loss:
    """L(x) = 1/2 |f(A x) - target|^2 + 1/2 |diag(w) A x|^2, as plain numbers.

    Of rescaled regression f = u, and the target is alpha b.

    Attributes
    ----------
    name, branch
        The problem, and the branch of a ResNet-style one or the link of a rescaled one.
    A, b, w
        Shapes (n, d), (n,) and (n,), in doubles; exactly the numbers that softres was given.
    beta
        Least alpha of a normalised problem.
    unit
        Rounding of the precision that softres works in.
    """

    name: str
    branch: str
    A: Any
    b: Any
    w: Any
    beta: float
    unit: float

    @property
    def normalised(self) -> bool:
        """Whether f = u / <u, 1>."""
        return self.name in ("softres", "softmax")

    @property
    def rescaled(self) -> bool:
        """Whether b is multiplied by alpha."""
        return self.name == "rescaled"

    @property
    def shift_invariant(self) -> bool:
        """Whether f(z + t 1) = f(z), so that the weights alone see a common shift of z."""
        return self.name == "softmax"


class Frame:
    """A loss over an orthonormal basis of A's range, in one arithmetic.

    What is 0 to rounding, in A's singular values and in the Hessian's, is so up to a factor that
    can't be told: ``blur`` multiplies the least one that is not.
    """

    def __init__(self, loss: Loss, arithmetic: Arithmetic, blur: float = 1.0) -> None:
        self.loss, self.arithmetic, self.blur = loss, arithmetic, blur
        #: Of this arithmetic's rounding and softres's own; 0 where the two are too close to tell.
        self.resolution = 1e3 * arithmetic.unit / loss.unit if arithmetic.unit < 1e-40 else 0.0
        A = arithmetic.array(loss.A)
        self.n = A.shape[0]
        norms = arithmetic.sqrt((A * A).sum(axis=0))
        self.kept = np.array([bool(norm > 0) for norm in norms])
        self.norms = norms[self.kept]
        self.A = A[:, self.kept] / self.norms
        self.b, self.w2 = arithmetic.array(loss.b), arithmetic.array(loss.w) ** 2
        self.target = self.b if loss.normalised or loss.rescaled else self.n * self.b
        if not self.kept.any():
            return
        _, values, vectors = np.linalg.svd(self.A.astype(np.float64), full_matrices=False)
        rank = int((values > blur * 8.0 * max(A.shape) * loss.unit * values[0]).sum())
        #: Turns the rounding of A^T y into that of y's coordinates in the basis.
        self.inverse = vectors[:rank] / values[:rank, None]
        self.basis = _orthonormal(self.A @ arithmetic.array(self.inverse.T), arithmetic)
        if loss.shift_invariant:
            self._shift_first()

    def _shift_first(self) -> None:
        """Turn the basis so that its first direction is what of a common shift is in A's range.

        In this arithmetic: turned in doubles, it would keep 1e-16 of what the data see.
        """
        shares = self.basis.sum(axis=0)
        largest = int(np.argmax(np.abs(shares.astype(np.float64))))
        if not abs(shares[largest]) > 0:
            return
        others = np.delete(np.eye(len(shares)), largest, axis=1)
        turn = np.column_stack([shares, self.arithmetic.array(others)])
        turn = _orthonormal(turn, self.arithmetic)
        self.basis = self.basis @ turn
        self.inverse = turn.astype(np.float64).T @ self.inverse

    def product(self, x: Any) -> Any:
        """Return A x for x of shape (d,)."""
        return self.A @ (self.norms * self.arithmetic.array(x)[self.kept])

    def reach(self, x: Any) -> Any:
        """Return |A| |x|, the size of the terms of A x."""
        return np.abs(self.A) @ np.abs(self.norms * self.arithmetic.array(x)[self.kept])


def _orthonormal(columns: Any, arithmetic: Arithmetic) -> Any:
    """Return an orthonormal basis of columns' span, by Gram and Schmidt's method, twice."""
    basis = columns.copy()
    for k in range(basis.shape[1]):
        for _ in range(2):
            basis[:, k] -= basis[:, :k] @ (basis[:, :k].T @ basis[:, k])
        basis[:, k] /= arithmetic.sqrt((basis[:, k] ** 2).sum())
    return basis
