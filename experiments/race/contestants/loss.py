"""The loss in plain NumPy: as fast as one writes it by hand, without any layer in between."""

from __future__ import annotations

from math import exp, inf, log
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["LossPoint", "PlainLoss"]

Vector = npt.NDArray[np.float64]


class LossPoint:
    """Value and derivatives at one x, from z = A x.

    Attributes
    ----------
    x, z
        The point, shape (d,), and A x, shape (n,).
    value
        The loss; infinite where it is not defined.
    gradient_z
        Its gradient in z, shape (n,).
    """

    def __init__(self, loss: PlainLoss, x: Vector, z: Vector) -> None:
        self.loss, self.x, self.z = loss, x, z
        m = max(0.0, float(z.max()))  # keeps exp within the range of doubles
        self.e = np.exp(z - m)
        t = exp(-m)
        u = self.e + t * z
        self.alpha = float(u.sum())
        if not (self.alpha > 0 and log(self.alpha) + m >= loss.log_beta):
            self.value = inf
            return
        self.v = (self.e + t) / self.alpha
        self.f = u / self.alpha
        self.c = self.f - loss.b
        self.q = self.c - float(self.f @ self.c)
        self.value = 0.5 * float(self.c @ self.c) + 0.5 * loss.w2 * float(z @ z)
        self.gradient_z: Vector = self.v * self.q + loss.w2 * z

    def curvature(self) -> tuple[Vector, Vector]:
        """Return D and h: the Hessian in z is diag(D) + v h^T + h v^T."""
        D = self.v * self.v + self.q * (self.e / self.alpha) + self.loss.w2
        s = float(self.f @ self.f) + 2.0 * float(self.f @ self.c)
        return D, self.v * (self.loss.b - 2.0 * self.f + 0.5 * s)

    def gauss_newton(self) -> tuple[Vector, Vector]:
        """Return D and h of F^T F + w^2, F the derivative of f in z: positive definite."""
        return (
            self.v * self.v + self.loss.w2,
            self.v * (0.5 * float(self.f @ self.f) - self.f),
        )


class PlainLoss:
    """1/2 |f(A x) - b|^2 + w^2/2 |A x|^2, counting its passes over A.

    Parameters
    ----------
    A
        n x d, a NumPy array or a SciPy CSR array.
    b
        Shape (n,).
    w2
        The squared weight of every row.
    beta
        The least alpha = <u, 1> at which the loss counts as defined.
    """

    def __init__(self, A: Any, b: Vector, w2: float, beta: float) -> None:
        self.A, self.AT = A, A.T
        self.b, self.w2, self.log_beta = b, w2, log(beta)
        self.passes = self.grams = 0

    def at(self, x: Vector) -> LossPoint:
        """Return the point x; one pass."""
        self.passes += 1
        return LossPoint(self, x, self.A @ x)

    def gradient(self, point: LossPoint) -> Vector:
        """Return the gradient at a point, shape (d,); one pass."""
        self.passes += 1
        g: Vector = self.AT @ point.gradient_z
        return g
