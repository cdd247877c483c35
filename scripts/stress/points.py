"""Gradient, curvature and Newton's step at a point of a loss, and the rounding of each."""

from __future__ import annotations

from functools import cached_property
from math import sqrt
from typing import Any

import numpy as np
from frames import Frame

__all__ = ["UNITS", "Point"]

#: Units of rounding that a computed sum may be off by, over the root of its terms.
UNITS = 10.0
#: A soft-residual point counts as on the wall where alpha is this close to beta.
WALL = 1e-6


class Point:
    """Gradient and curvature at one z, with the size of the terms that each is the sum of."""

    def __init__(self, frame: Frame, z: Any) -> None:
        self.frame, self.z = frame, z
        loss = frame.loss
        top = max(z) if loss.name == "softmax" else frame.arithmetic.number(0.0)
        u, v, e, size = frame.arithmetic.link(loss.name, loss.branch, z - top)
        self.h: Any = None
        if loss.normalised:
            self.alpha = u.sum()
            self.log_alpha = frame.arithmetic.log(self.alpha) + top if self.alpha > 0 else None
            cancelled = size.sum() / np.abs(self.alpha)
            f, v, e, size = (part / self.alpha for part in (u, v, e, size))
            c = f - frame.b
            fc, ff = f @ c, f @ f
            sizes = cancelled * (np.abs(size) + frame.b + np.abs(f) @ (np.abs(f) + frame.b))
            self.h = v * (frame.b - 2 * f + ff / 2 + fc)
            c = c - fc
        elif loss.rescaled:
            self.alpha, b = u.sum(), frame.b
            c = u - self.alpha * b
            self.h = v * (b @ b / 2 - b)
            sizes = size + size.sum() * b
            sizes = sizes + b @ sizes
            c = c - b @ c
        else:
            c = u - frame.target
            sizes = size + np.abs(frame.target)
        self.u, self.v, self.e = u, v, e
        self.pull, self.data_gradient = frame.w2 * z, v * c
        self.gradient = self.data_gradient + self.pull
        self.data_diagonal = v * v + c * e
        self.gradient_terms = np.abs(v) * sizes
        self.diagonal_terms = v * v + np.abs(e) * sizes

    @property
    def finite(self) -> bool:
        """Whether everything is a number."""
        parts = (self.gradient, self.data_diagonal, self.gradient_terms, self.diagonal_terms)
        return all(self.frame.arithmetic.finite(part) for part in parts)

    @property
    def on_the_wall(self) -> bool:
        """Whether alpha is beta, or less."""
        beta = self.frame.loss.beta
        if not self.frame.loss.normalised or beta == 0:
            return False
        return self.log_alpha is None or float(self.log_alpha) <= np.log(beta) + WALL

    def form(self, columns: Any) -> Any:
        """Return the Hessian in coordinates over some columns, shape (k, k)."""
        varying = self._varying(columns)
        H = varying.T @ (self.data_diagonal[:, None] * varying)
        H = H + columns.T @ (self.frame.w2[:, None] * columns)
        if self.h is not None:
            left, right = varying.T @ self.v, varying.T @ self.h
            H = H + np.outer(left, right) + np.outer(right, left)
        return H

    def _varying(self, columns: Any) -> Any:
        """Return what of some columns changes f: without a common shift where f has none."""
        return columns - self.v @ columns if self.frame.loss.shift_invariant else columns

    def _varies(self, columns: Any) -> bool:
        """Whether f sees anything of some columns that is not rounding of A."""
        seen = np.abs(self._varying(columns)).max() / np.abs(columns).max()
        return bool(seen > UNITS * max(self.frame.A.shape) * self.frame.loss.unit)

    def terms(self, columns: Any) -> Any:
        """Return the size of the terms of the Hessian's diagonal over some columns, (k,)."""
        size = np.abs(self._varying(columns))
        terms = (size * size).T @ self.diagonal_terms + (columns * columns).T @ self.frame.w2
        if self.h is not None:
            terms = terms + 2 * (size.T @ np.abs(self.v)) * (size.T @ np.abs(self.h))
        return terms

    @cached_property
    def noise(self) -> float:
        """The rounding of a Hessian, relative to its terms."""
        n, d = self.frame.A.shape
        return float(UNITS * (d + sqrt(n)) * self.frame.loss.unit)

    @cached_property
    def curvature(self) -> float:
        """The smallest eigenvalue over columns of A, each with terms of size one."""
        columns = self.frame.A
        scale = self.frame.arithmetic.sqrt(self.terms(columns))
        scale = np.array([s if s > 0 else self.frame.arithmetic.number(1.0) for s in scale])
        H = (self.form(columns) / np.outer(scale, scale)).astype(np.float64)
        return float(np.linalg.eigvalsh(H)[0])

    @property
    def saddle(self) -> bool:
        """Whether curvature is negative beyond rounding."""
        return self.curvature < -self.noise

    @cached_property
    def sizes(self) -> tuple[Any, Any]:
        """The size of each direction of the basis, (r,), and the unit of curvature.

        All are one but that of a common shift, which has the size of what the weights see of it:
        beside the curvature of the data it would be lost in rounding.
        """
        number, basis = self.frame.arithmetic.number, self.frame.basis
        terms = self.terms(basis)
        scale = max(terms) if max(terms) > 0 else number(1.0)
        sizes = np.array([number(1.0)] * len(terms))
        if self.frame.loss.shift_invariant:
            shift = terms[0] if self._varies(basis[:, :1]) else basis[:, 0] ** 2 @ self.frame.w2
            sizes[0] = self.frame.arithmetic.sqrt(shift / scale) if shift > 0 else number(1.0)
        return sizes, scale

    @cached_property
    def spectrum(self) -> tuple[Any, Any, Any, float]:
        """Eigenvalues over the basis in its sizes, eigenvectors, their unit, and what is zero."""
        sizes, scale = self.sizes
        form = self.form(self.frame.basis / sizes) / scale
        values, vectors = np.linalg.eigh(form.astype(np.float64))
        noise = self.frame.blur * self.noise
        if values[-1] <= noise:
            # Curvature that vanishes as a whole, as on the way to a minimiser at infinity: softres
            # sees none, but what there is decides whether the minimiser is near.
            noise = self.noise * UNITS * self.frame.arithmetic.unit / self.frame.loss.unit
        return values, vectors, scale, noise

    @property
    def undecided(self) -> bool:
        """Whether curvature vanishes, and with more digits it might not."""
        values, _, _, noise = self.spectrum
        return bool(values[-1] <= noise) and self.frame.resolution == 0.0

    @cached_property
    def slopes(self) -> tuple[Any, Any]:
        """The gradient along the eigenvectors, and the size of its rounding, each (r,)."""
        frame = self.frame
        Q = frame.arithmetic.array(self.spectrum[1]) / self.sizes[0][:, None]
        directions = frame.basis @ Q
        varying = self._varying(directions)
        slopes = varying.T @ self.data_gradient + directions.T @ self.pull
        return slopes, self._rounding(Q, varying, self._transposed(Q))

    @cached_property
    def computed_rounding(self) -> Any:
        """As of `slopes`, with the rounding of sums over the data that come to nothing, (r,)."""
        frame = self.frame
        Q = frame.arithmetic.array(self.spectrum[1]) / self.sizes[0][:, None]
        inverse, A = frame.arithmetic.array(frame.inverse), np.abs(frame.A).T
        along = (Q.T @ inverse) ** 2 @ (A @ np.abs(self.gradient)) ** 2
        return self._rounding(Q, frame.basis @ Q, along)

    def _rounding(self, Q: Any, varying: Any, transposed: Any) -> Any:
        """Return the rounding along directions, (r,), from what the data see of them."""
        arithmetic, pull = self.frame.arithmetic, np.abs(self.pull)
        terms = np.abs(varying).T * self.gradient_terms + np.abs(self.frame.basis @ Q).T * pull
        return self.frame.loss.unit * arithmetic.sqrt((terms**2).sum(axis=1) + transposed)

    def _transposed(self, Q: Any) -> Any:
        """Return the squares of what A^T y rounds along some directions, over the unit, (r,)."""
        frame = self.frame
        inverse, A = frame.arithmetic.array(frame.inverse), np.abs(frame.A).T
        shift = slice(0, int(frame.loss.shift_invariant))  # data have no slope that could round
        rest = slice(shift.stop, None)
        along = (Q[rest].T @ inverse[rest]) ** 2 @ (A @ np.abs(self.gradient)) ** 2
        return along + (Q[shift].T @ inverse[shift]) ** 2 @ (A @ np.abs(self.pull)) ** 2

    def newton(self) -> tuple[float, float, Any]:
        """Return the Newton step's size in the norm of the Hessian, what is left, and the step.

        Where curvature vanishes to rounding the gradient must too; what it has beyond its rounding
        is left, as if the curvature were the largest that rounding can hide. The step is one in z.
        """
        values, Q, scale, noise = self.spectrum
        array, sqrt = self.frame.arithmetic.array, self.frame.arithmetic.sqrt
        slopes, rounding = self.slopes
        units = min(noise, self.noise) / self.frame.loss.unit
        ahead, left, step = 0 * scale, 0 * scale, array(np.zeros(len(values)))
        for k, value in enumerate(values):
            if abs(value) > noise:
                step[k] = -slopes[k] / (value * scale)
                ahead += slopes[k] ** 2 / abs(value * scale)
            elif abs(slopes[k]) > units * rounding[k]:
                left += slopes[k] ** 2 / (noise * scale)
        step = self.frame.basis @ (array(Q) @ step / self.sizes[0])
        return float(sqrt(ahead / scale)), float(sqrt(left / scale)), step

    def norm(self, z: Any) -> float:
        """Return the norm of a difference of z in the Hessian, in the unit of `newton`."""
        values, Q, _, noise = self.spectrum
        y = (self.frame.arithmetic.array(Q).T @ (self.sizes[0] * (self.frame.basis.T @ z))) ** 2
        seen = np.where(values > noise, values, 0.0)
        return float(self.frame.arithmetic.sqrt(self.frame.arithmetic.array(seen) @ y))

    def floor(self, reach: Any, *, computed: bool = False) -> float:
        """Return how far the rounding of x, A, b and of sums moves x*, in the same unit.

        With that of the sums in a computed gradient that come to nothing in every arithmetic.
        """
        values, _, scale, noise = self.spectrum
        rounding = self.computed_rounding if computed else self.slopes[1]
        unit = self.frame.loss.unit
        moved = UNITS * unit * (reach + unit)  # where x* = 0, a z of unit^2 is as good: links see 1
        total = (moved**2) @ (self.diagonal_terms + self.frame.w2)
        if self.h is not None:
            total = total + 2 * (np.abs(self.v) @ moved) * (np.abs(self.h) @ moved)
        for k, value in enumerate(values):
            if value > noise:
                total = total + (UNITS * rounding[k]) ** 2 / (value * scale)
        return float(self.frame.arithmetic.sqrt(total / scale))
