"""The family of losses once more, in any arithmetic: no fault of softres can hide itself here.

Everything is measured in z = A x over an orthonormal basis of A's range. That depends neither on
the size of A's columns nor on their mixture.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import sqrt
from typing import Any

import numpy as np
from extended import Arithmetic

__all__ = ["Frame", "Loss", "Point"]

#: Units of rounding that a computed sum may be off by, over the root of its terms.
UNITS = 10.0
#: A soft-residual point counts as on the wall where alpha is this close to beta.
WALL = 1e-6


@dataclass(frozen=True)
class Loss:
    """L(x) = 1/2 |f(A x) - target|^2 + 1/2 |diag(w) A x|^2, as plain numbers.

    Attributes
    ----------
    name, branch
        The problem, and the branch of a ResNet-style one.
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
        self.target = self.b if loss.normalised else self.n * self.b
        if not self.kept.any():
            return
        _, values, vectors = np.linalg.svd(self.A.astype(np.float64), full_matrices=False)
        rank = int((values > blur * 8.0 * max(A.shape) * loss.unit * values[0]).sum())
        #: Turns the rounding of A^T y into that of y's coordinates in the basis.
        self.inverse = vectors[:rank] / values[:rank, None]
        if loss.shift_invariant:
            # The first direction is what of a common shift of z is in A's range.
            sums = self.A.sum(axis=0).astype(np.float64)
            towards = vectors[:rank] @ sums / values[:rank]
            rotation = np.linalg.qr(np.column_stack([towards, np.eye(rank)]))[0]
            self.inverse = rotation.T @ self.inverse
        self.basis = _orthonormal(self.A @ arithmetic.array(self.inverse.T), arithmetic)

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
        number, terms = self.frame.arithmetic.number, self.terms(self.frame.basis)
        scale = max(terms) if max(terms) > 0 else number(1.0)
        sizes = np.array([number(1.0)] * len(terms))
        if self.frame.loss.shift_invariant and terms[0] > 0:
            sizes[0] = self.frame.arithmetic.sqrt(terms[0] / scale)
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
        terms = np.abs(varying).T * self.gradient_terms + np.abs(directions).T * np.abs(self.pull)
        variance = (terms**2).sum(axis=1) + self._transposed(Q)
        slopes = varying.T @ self.data_gradient + directions.T @ self.pull
        return slopes, frame.loss.unit * frame.arithmetic.sqrt(variance)

    def _transposed(self, Q: Any) -> Any:
        """Return the squares of what A^T y rounds along some directions, over the unit, (r,)."""
        frame = self.frame
        inverse, A = frame.arithmetic.array(frame.inverse), np.abs(frame.A).T
        shift = slice(0, int(frame.loss.shift_invariant))  # data have no slope that could round
        rest = slice(shift.stop, None)
        along = (Q[rest].T @ inverse[rest]) ** 2 @ (A @ np.abs(self.gradient)) ** 2
        return along + (Q[shift].T @ inverse[shift]) ** 2 @ (A @ np.abs(self.pull)) ** 2

    def newton(self) -> tuple[float, Any]:
        """Return the Newton step's size in the norm of the Hessian, and the step in z.

        Where curvature vanishes to rounding the gradient must too; what it has beyond its rounding
        counts as if the curvature were the largest that rounding can hide, and no step is taken.
        """
        values, Q, scale, noise = self.spectrum
        array, sqrt = self.frame.arithmetic.array, self.frame.arithmetic.sqrt
        slopes, rounding = self.slopes
        units = min(noise, self.noise) / self.frame.loss.unit
        total, step = 0 * scale, array(np.zeros(len(values)))
        for k, value in enumerate(values):
            if abs(value) > noise:
                step[k] = -slopes[k] / (value * scale)
                total += slopes[k] ** 2 / abs(value * scale)
            elif abs(slopes[k]) > units * rounding[k]:
                total += slopes[k] ** 2 / (noise * scale)
        return float(sqrt(total / scale)), self.frame.basis @ (array(Q) @ step / self.sizes[0])

    def norm(self, z: Any) -> float:
        """Return the norm of a difference of z in the Hessian, in the unit of `newton`."""
        values, Q, _, noise = self.spectrum
        y = (self.frame.arithmetic.array(Q).T @ (self.sizes[0] * (self.frame.basis.T @ z))) ** 2
        seen = np.where(values > noise, values, 0.0)
        return float(self.frame.arithmetic.sqrt(self.frame.arithmetic.array(seen) @ y))

    def floor(self, reach: Any) -> float:
        """Return how far the rounding of x, A, b and of sums moves x*, in the same unit."""
        values, _, scale, noise = self.spectrum
        _, rounding = self.slopes
        unit = self.frame.loss.unit
        moved = UNITS * unit * (reach + unit)  # where x* = 0, a z of unit^2 is as good: links see 1
        total = (moved**2) @ (self.diagonal_terms + self.frame.w2)
        if self.h is not None:
            total = total + 2 * (np.abs(self.v) @ moved) * (np.abs(self.h) @ moved)
        for k, value in enumerate(values):
            if value > noise:
                total = total + (UNITS * rounding[k]) ** 2 / (value * scale)
        return float(self.frame.arithmetic.sqrt(total / scale))
