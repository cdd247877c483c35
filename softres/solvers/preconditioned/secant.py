"""Secant pairs: what the changes of the gradient say about the error of a preconditioner."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from softres.common.reading import Reading, scalar
from softres.solvers.preconditioned import tuning

__all__ = ["SecantPairs"]


class SecantPairs:
    """The last few pairs of a step s and the change y of the gradient along it.

    :meth:`apply` is the two-loop recursion of L-BFGS (Nocedal, 1980) with the preconditioner's
    inverse in place of a multiple of the identity. For a quadratic loss and exact line searches
    its directions are those of preconditioned conjugate gradients, at the same two passes over A
    a step; unlike these it needs no inner iteration and no tolerance for one.

    Parameters
    ----------
    limit
        Pairs kept.
    """

    def __init__(self, limit: int) -> None:
        self._pairs: deque[tuple[Any, Any, float]] = deque(maxlen=limit)

    def __len__(self) -> int:
        return len(self._pairs)

    def add(self, s: Any, y: Any) -> None:
        """Keep a pair, both of shape (d,), unless the loss is not convex along it."""
        self._keep(s, y, float(s @ y), float(s @ s), float(y @ y))

    def ask(self, reading: Reading, s: Any, y: Any) -> Callable[[], None]:
        """Ask what :meth:`add` decides by, along with what else is asked for; return the rest."""
        product = reading.number(s @ y)
        lengths = reading.number(s @ s), reading.number(y @ y)

        return lambda: self._keep(s, y, product(), lengths[0](), lengths[1]())

    def _keep(self, s: Any, y: Any, product: float, ss: float, yy: float) -> None:
        if product > tuning.CURVED * ss**0.5 * yy**0.5:
            self._pairs.append((s, y, product))

    def clear(self) -> None:
        """Forget all pairs: they speak of a preconditioner that has been replaced."""
        self._pairs.clear()

    def apply(self, gradient: Any, solve: Callable[[Any], Any]) -> Any:
        """Return the inverse Hessian's estimate times the gradient, shape (d,).

        Parameters
        ----------
        gradient
            Shape (d,).
        solve
            The preconditioner's inverse, applied once.
        """
        if not self._pairs:
            return solve(gradient)
        shares = []
        for s, y, product in reversed(self._pairs):
            share = scalar(s @ gradient) / product
            gradient = gradient - share * y
            shares.append(share)
        direction = solve(gradient)
        for (s, y, product), share in zip(self._pairs, reversed(shares), strict=True):
            direction = direction + (share - scalar(y @ direction) / product) * s
        return direction
