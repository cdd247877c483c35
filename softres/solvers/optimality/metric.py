"""A matrix near the Hessian, as a solver has it at hand."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

from softres.common.arrays import array_namespace
from softres.linalg.factors import CholeskyFactor
from softres.problems.curvature import Curvature

__all__ = ["Metric", "Projected"]


class Metric(Protocol):
    """A positive definite M near the Hessian, on the range of A^T.

    Attributes
    ----------
    curvature
        The B in z that M is A^T B A for, where that is known.
    """

    @property
    def curvature(self) -> Curvature | None: ...  # noqa: D102 - an attribute, see above

    def solve(self, y: Any) -> Any:
        """Return M^-1 y for y of shape (d,)."""
        ...

    def smallest_eigenvalue(self) -> float:
        """Estimate the smallest eigenvalue of M with its diagonal scaled to at most one."""
        ...

    def whitened(self, y: Any) -> tuple[Any, Any]:
        """Return W y and M W y for y of shape (d,), with W W^T = M^-1."""
        ...


@dataclass(frozen=True)
class Projected:
    """A metric that was made definite on A's null space, kept out of it.

    Attributes
    ----------
    metric
        As :func:`softres.linalg.nullspace.filled` made it: the null space and what is at right
        angles to it, with A's columns scaled to one, do not mix.
    null
        Orthonormal basis of the null space, shape (d, k); ``None`` where A has none.
    scale
        Norms of A's columns, shape (d,).
    curvature
        The B in z that M is A^T B A for off the null space; ``None`` where it is not known.
    """

    metric: CholeskyFactor
    null: Any | None
    scale: Any
    curvature: Curvature | None = None

    @cached_property
    def _basis(self) -> Any | None:
        """The null space with A's columns scaled to one."""
        if self.null is None or self.null.shape[1] == 0:
            return None
        return array_namespace(self.null).linalg.qr(self.scale[:, None] * self.null)[0]

    def solve(self, y: Any) -> Any:
        """Return M^-1 y for y of shape (d,)."""
        return self._clear(self.metric.solve(y), self.scale)

    def smallest_eigenvalue(self) -> float:
        """Estimate the smallest eigenvalue of M with its diagonal scaled to at most one."""
        return self.metric.smallest_eigenvalue()

    def whitened(self, y: Any) -> tuple[Any, Any]:
        """Return W y and M W y for y of shape (d,)."""
        image, dual = self.metric.whitened(y)
        return self._clear(image, self.scale), self._clear(dual, 1.0 / self.scale)

    def _clear(self, y: Any, scale: Any) -> Any:
        """Return y, that is scaled so, without its component in the null space."""
        if self._basis is None:
            return y
        scaled = scale * y
        return (scaled - self._basis @ (self._basis.T @ scaled)) / scale
