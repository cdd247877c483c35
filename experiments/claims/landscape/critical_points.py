"""Critical points of soft-residual regression on both sides of the pole, found and certified.

The loss is defined wherever alpha = <u, 1> is not 0. Newton's method for the gradient, from many
starts, ends at critical points of every index. Krawczyk's test certifies one: with an inverse Y of
the Hessian at m, and the Hessian H(X) over a box X around m, if

    m - Y g(m) + (I - Y H(X)) (X - m)

lies in the interior of X, then X holds exactly one zero of g. All of it in interval arithmetic. The
index is that of H(m), which no matrix of H(X) is as far from as its eigenvalue of least size.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from experiments.claims.landscape.intervals import Intervals

__all__ = ["CriticalPoint", "PoledLoss", "critical_points"]

Array = npt.NDArray[np.float64]

#: Steps of Newton's method from a start, and halvings of one that does not shrink the gradient.
STEPS, HALVINGS = 60, 25
#: Half of the sides of the boxes that are tried, over the size of the point.
RADII = (1e-12, 1e-10, 1e-8, 1e-7, 1e-6)
#: Points count as one up to this distance, over their size.
SAME = 1e-6


@dataclass(frozen=True)
class CriticalPoint:
    """A critical point.

    Attributes
    ----------
    x
        Shape (d,).
    value
        The loss.
    negative
        Negative eigenvalues of the Hessian: 0 at a minimiser.
    positive_side
        Whether alpha > 0.
    certified
        Whether Krawczyk's test shows that there is one, and of this index.
    """

    x: Array
    value: float
    negative: int
    positive_side: bool
    certified: bool


@dataclass(frozen=True)
class PoledLoss:
    """1/2 |f - b|^2 + 1/2 w^2 |A x|^2 with f = u / alpha, u = exp(A x) + A x, for either sign."""

    A: Array
    b: Array
    w2: float

    def alpha(self, x: Array) -> float:
        """Return <u, 1> at x, shape (d,)."""
        z = self.A @ x
        return float((np.exp(z) + z).sum())

    def value(self, x: Array) -> float:
        """Return the loss at x."""
        z = self.A @ x
        u = np.exp(z) + z
        c = u / u.sum() - self.b
        return 0.5 * float(c @ c + self.w2 * (z @ z))

    def derivatives(self, x: Array) -> tuple[Array, Array]:
        """Return the gradient, shape (d,), and the Hessian, shape (d, d)."""
        g, H = _derivatives(self, self.A @ x, np.exp, lambda y: y.sum(axis=0))
        return np.asarray(g), np.asarray(H)

    def enclosures(self, box: Intervals) -> tuple[Intervals, Intervals]:
        """Return intervals that hold the gradient and the Hessian at every point of a box."""
        z = (Intervals.of(self.A.T) * box[:, None]).sum()
        return _derivatives(self, z, Intervals.exp, Intervals.sum)


def _derivatives(loss: PoledLoss, z: Any, exp: Any, total: Any) -> tuple[Any, Any]:
    """Return gradient and Hessian by the closed forms of Lemmas 4.1 and 5.2, in any arithmetic."""
    A, b = loss.A, loss.b
    e = exp(z)
    u, v = e + z, e + 1.0
    alpha = total(u)
    f, p, g = u / alpha, v / alpha, e / alpha
    c = f - b
    fc = total(f * c)
    residual = c - fc
    half = total(f * f) * 0.5 + fc
    gradient = total(_rows(p * residual + z * loss.w2) * A)
    D = p * p + residual * g + loss.w2
    h = p * (f * -2.0 + b + half)
    hessian = (
        total(_rows(D)[:, :, None] * (A[:, :, None] * A[:, None, :]))
        if _plain(D)
        else total(D[:, None, None] * (Intervals.of(A)[:, :, None] * Intervals.of(A)[:, None, :]))
    )
    left, right = total(_rows(p) * A), total(_rows(h) * A)
    outer = left[:, None] * right[None, :]
    other = right[:, None] * left[None, :]
    return gradient, hessian + outer + other


def _plain(values: Any) -> bool:
    return not isinstance(values, Intervals)


def _rows(values: Any) -> Any:
    return values[:, None]


def critical_points(loss: PoledLoss, starts: Iterable[Array]) -> list[CriticalPoint]:
    """Return the different critical points that Newton's method ends at, with certificates."""
    found: list[CriticalPoint] = []
    for start in starts:
        with np.errstate(all="ignore"):
            x = _newton(loss, np.asarray(start, dtype=np.float64))
        if x is None or any(_same(x, known.x) for known in found):
            continue
        found.append(_looked_at(loss, x))
    return found


def _same(x: Array, y: Array) -> bool:
    return float(np.linalg.norm(x - y)) <= SAME * max(float(np.linalg.norm(y)), 1e-3)


def _newton(loss: PoledLoss, x: Array) -> Array | None:
    """Return where Newton's method for the gradient ends; ``None`` where it does not."""
    g, H = loss.derivatives(x)
    for _ in range(STEPS):
        if not (np.isfinite(g).all() and np.isfinite(H).all()):
            return None
        step = np.linalg.lstsq(H, -g, rcond=None)[0]
        if float(np.linalg.norm(step)) <= 1e-14 * max(float(np.linalg.norm(x)), 1e-300):
            return x
        length, size, sign = 1.0, float(np.linalg.norm(g)), np.sign(loss.alpha(x))
        for _ in range(HALVINGS):
            trial = x + length * step
            after = loss.derivatives(trial)
            # A step across the pole begins a search on its other side.
            shrinks = float(np.linalg.norm(after[0])) < size
            if shrinks and np.sign(loss.alpha(trial)) == sign:
                break
            length *= 0.5
        else:
            return x if float(np.linalg.norm(step)) <= 1e-9 * float(np.linalg.norm(x)) else None
        x, (g, H) = trial, after
    return None


def _looked_at(loss: PoledLoss, x: Array) -> CriticalPoint:
    _, H = loss.derivatives(x)
    values = np.linalg.eigvalsh(H)
    certified = any(_certified(loss, x, H, values, radius) for radius in RADII)
    return CriticalPoint(x, loss.value(x), int((values < 0).sum()), loss.alpha(x) > 0, certified)


def _certified(loss: PoledLoss, x: Array, H: Array, values: Any, radius: float) -> bool:
    """Whether Krawczyk's test succeeds on a box, and the index is the same all over it."""
    half = radius * max(float(np.linalg.norm(x)), 1e-3)
    box, d = Intervals.around(x, np.full(len(x), half)), len(x)
    try:
        Y = Intervals.of(np.linalg.inv(H))
        gradient, _ = loss.enclosures(Intervals.of(x))
        _, hessian = loss.enclosures(box)
    except (ZeroDivisionError, np.linalg.LinAlgError):
        return False
    step = _product(Y, gradient[:, None])[:, 0]
    rest = Intervals.of(np.eye(d)) - _product(Y, hessian)
    moved = _product(rest, (box - x)[:, None])[:, 0]
    if not (Intervals.of(x) - step + moved).inside(box):
        return False
    # Weyl: no eigenvalue moves by more than the norm of the change, nor than that of its entries.
    change = float(np.linalg.norm((hessian - H).magnitude))
    return bool(change + 1e-12 * float(np.abs(values).max()) < float(np.abs(values).min()))


def _product(left: Intervals, right: Intervals) -> Intervals:
    """Return the product of two matrices."""
    columns = [
        (Intervals(left.low.T, left.high.T) * right[:, k][:, None]).sum()
        for k in range(right.low.shape[1])
    ]
    return Intervals(
        np.stack([one.low for one in columns], axis=1),
        np.stack([one.high for one in columns], axis=1),
    )
