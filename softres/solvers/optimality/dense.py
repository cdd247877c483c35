"""The Hessian itself: formed, factored, and where it is nearly singular taken apart by size."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, sqrt
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import linalg

from softres.common.arrays import dual_norm
from softres.common.arrays import norm as length
from softres.linalg.factors import cholesky
from softres.problems.evaluation import Evaluation
from softres.solvers.optimality.finding import Finding
from softres.solvers.optimality.rounding import on_host, rounding_of_slopes

__all__ = ["examine_dense"]

Matrix = npt.NDArray[np.float64]
Vector = npt.NDArray[np.float64]

#: Eigenvalues below this share of the largest are looked at again, from the products with A.
LOW = 1e-6
#: |A q| over |A| up to which a unit vector q counts as a null vector, in units of rounding.
NULL_UNITS = 300.0
#: Relative differences of the entries of an image that is the same for all rows.
CONSTANT_IMAGE = 1e-6
#: Least share of the weights in a curvature that they alone make.
WEIGHTS_SHARE = 0.5
#: Units of rounding up to which a curvature or a slope is none.
ZERO_UNITS = 100.0


def examine_dense(point: Evaluation, *, blurred: bool = False) -> Finding:
    """Look at a point with its Hessian, all columns of A scaled to one.

    Where that is definite beyond rounding a Cholesky factor tells all. Where it is not, its
    eigenvectors of large curvature are right, but along the others a Gram matrix holds rounding
    alone. Their curvature is found again from the products A q, whose rounding is relative to their
    own size: what the Gram matrix of a badly conditioned A has lost is still there.

    One Gram matrix; d further passes, at most three for each direction, where it is singular.

    Parameters
    ----------
    point
        Where to look.
    blurred
        Whether the gradient's rounding may hide a slope along a common shift of z, that a factor of
        the Hessian takes as it is.
    """
    matrix = point.problem.matrix
    scale = on_host(matrix.column_scale)
    gram = matrix.gram(point.curvature.weights)
    before = np.abs(on_host(gram).diagonal().copy())
    H = on_host(point.curvature.hessian(matrix, gram)) / scale[:, None] / scale[None, :]
    g = on_host(point.gradient) / scale
    if not (np.isfinite(H).all() and np.isfinite(g).all()):
        return Finding(None, inf, None, lambda y: inf)
    # What the rank-two part cancels leaves the rounding of what was there before.
    largest = float(np.max(before / scale / scale, initial=0.0))
    size = max(largest, float(np.abs(H).max()))
    noise = point.problem.gram_noise * size
    # Cholesky's own test is relative to the largest diagonal entry.
    top = float(H.diagonal().max())
    factor = cholesky(H, np.ones(len(g)), noise / top) if top > noise else None
    if factor is None or (blurred and factor.smallest_eigenvalue() * top <= LOW * size):
        least = LOW * size if blurred else 10.0 * noise
        return _take_apart(point, H, g, scale, least, blurred)

    def norm(y: Any) -> float:
        scaled = on_host(y) / scale
        return dual_norm(scaled, factor.solve(scaled))

    solved = factor.solve(g)
    return Finding(None, dual_norm(g, solved), matrix.asarray(-solved / scale), norm)


@dataclass(frozen=True)
class _Directions:
    """Directions q, shape (d, k), with their positive curvatures, shape (k,)."""

    q: Matrix
    curvature: Vector


def _take_apart(
    point: Evaluation, H: Matrix, g: Vector, scale: Vector, least: float, blurred: bool
) -> Finding:
    """Look at a point whose Hessian's curvatures up to ``least`` may be rounding."""
    matrix = point.problem.matrix
    values, vectors = np.linalg.eigh(H)
    top = float(np.abs(values).max())
    low = np.abs(values) <= max(LOW * top, least)
    if (values[~low] < 0).any():
        return _saddle(point, vectors[:, 0] / scale)
    high = _Directions(vectors[:, ~low], values[~low])
    slopes = high.q.T @ g
    step = -high.q @ (slopes / high.curvature)
    errors, unseen = [slopes / np.sqrt(high.curvature)], False
    parts = [high]
    if low.any():
        found = _Low(point, vectors[:, low], high, scale, blurred)
        if found.downhill is not None:
            return _saddle(point, found.downhill / scale)
        step = step - found.seen.q @ (found.slopes / found.seen.curvature)
        errors.append(found.slopes / np.sqrt(found.seen.curvature))
        unseen = found.unseen
        parts.append(found.seen)

    def norm(y: Any) -> float:
        scaled = on_host(y) / scale
        return length(
            np.concatenate([part.q.T @ scaled / np.sqrt(part.curvature) for part in parts])
        )

    error = inf if unseen else length(np.concatenate(errors))
    return Finding(None, error, matrix.asarray(step / scale), norm)


class _Low:
    """The directions in which the Hessian is nearly singular, from their images under A.

    Attributes
    ----------
    downhill
        A direction of negative curvature, shape (d,), if there is one.
    seen
        Directions of positive curvature.
    slopes
        The gradient's along them.
    unseen
        Whether the gradient has a slope beyond rounding along one without curvature.
    """

    def __init__(
        self, point: Evaluation, q: Matrix, high: _Directions, scale: Vector, blurred: bool
    ) -> None:
        self._point, self._scale = point, scale
        unit = point.problem.unit
        q = self._clear(q, high)
        images = self._image(q)
        # Rotated to images at right angles: a null vector is told from one on a small scale.
        left, sizes, right = np.linalg.svd(images, full_matrices=False)
        q = q @ right.T
        kept = sizes > NULL_UNITS * unit * sqrt(len(scale))
        q, images, sizes = q[:, kept] / sizes[kept], left[:, kept], sizes[kept]
        # The image of a direction holds rounding of the size of A's rows, over its own size.
        image_rounding = sqrt(len(scale)) / float(sizes.min(initial=1.0))
        floor = ZERO_UNITS * unit * (sqrt(point.problem.n) + image_rounding)
        self.downhill = None
        found: list[tuple[Matrix, Vector, Vector]] = []
        for apart in (False, True) if point.problem.shift_invariant else (False,):
            curvature, magnitude = self._curvature(images, self._varying(images, apart))
            q, images = q / magnitude, images / magnitude
            values, vectors = np.linalg.eigh(curvature / magnitude[:, None] / magnitude[None, :])
            q, images = q @ vectors, images @ vectors
            seen = values > floor
            if apart:
                # Once taken apart from the rest, what nothing but the weights sees is its own size.
                seen &= self._is_of_weights(images, values)
            elif (values < -floor).any():
                self.downhill = q[:, 0]
            elif blurred:
                seen &= ~self._is_of_weights(images, values)
            found.append((q[:, seen], values[seen], self._slopes(images[:, seen], apart)))
            q, images = q[:, ~seen], images[:, ~seen]
        self.seen = _Directions(
            np.hstack([part[0] for part in found]), np.concatenate([part[1] for part in found])
        )
        self.slopes = np.concatenate([part[2] for part in found])
        self.unseen = q.shape[1] > 0 and self._slopes_down(q, images)

    def _slopes_down(self, q: Matrix, images: Matrix) -> bool:
        """Whether the gradient has a slope beyond rounding along directions without curvature.

        Rounding may differ by many orders between them, and these directions are any basis of
        theirs: the slopes are measured in the norm of the inverse covariance of their rounding.
        """
        point, k = self._point, q.shape[1]
        gradient = on_host(point.gradient_z)
        # Where the curvature itself leaves the range of the dtype, so may the slope have done.
        lost = on_host(point.curvature.magnitude) < point.problem.least
        if np.linalg.matrix_rank(images[~lost], tol=1e-8 * np.linalg.norm(images)) < k:
            return True
        # Elsewhere, as at a minimum that lies at infinity, a loss falls though all its derivatives
        # are rounding; but where it does not depend on a common shift of z there is none to see.
        common = images.mean(axis=0)
        varies = float(np.linalg.norm(images - common)) > CONSTANT_IMAGE * float(
            np.linalg.norm(images)
        )
        if varies or not point.problem.shift_invariant:
            return True
        rows = np.linalg.norm(self._probe(), axis=1)
        formed = point.problem.unit * float(np.linalg.norm(rows * gradient))
        noise = np.vstack(
            [
                rounding_of_slopes(point)[:, None] * images,
                np.diag(formed * np.linalg.norm(q, axis=0) + np.finfo(np.float64).tiny),
            ]
        )
        triangle = np.linalg.qr(noise)[1]
        slopes = images.T @ gradient
        whitened = linalg.solve_triangular(triangle, slopes, trans="T", check_finite=False)
        return not float(np.linalg.norm(whitened)) <= ZERO_UNITS * sqrt(k)

    def _image(self, q: Matrix) -> Matrix:
        matrix = self._point.problem.matrix
        return on_host(matrix.matmul(matrix.asarray(q / self._scale[:, None])))

    def _probe(self) -> Matrix:
        """Return products of A with four random vectors: their rows are as long as A's, about."""
        d = len(self._scale)
        return self._image(np.random.default_rng(0).standard_normal((d, 4)) / 2.0)

    def _clear(self, q: Matrix, high: _Directions) -> Matrix:
        """Return directions without the part of others that eigenvectors have by rounding."""
        if high.q.shape[1] == 0:
            return q
        matrix = self._point.problem.matrix
        curved = matrix.asarray(self._apply_curvature(self._image(q)))
        mixed = high.q.T @ (on_host(matrix.rmatmul(curved)) / self._scale[:, None])
        return q - high.q @ (mixed / high.curvature[:, None])

    def _varying(self, images: Matrix, apart: bool) -> tuple[Matrix, Vector]:
        """Return the images that the data see, and the curvature that the weights add to all.

        Where nothing but the weights sees a common shift of z, the gradient and the curvature of
        the data along it are sums that cancel: the shift is taken out before they are formed, and
        no rounding hides what the weights say.
        """
        problem = self._point.problem
        if not apart:
            return images, np.zeros(len(images))
        return images - images.mean(axis=0), on_host(problem.w2) * np.ones(problem.n)

    def _is_of_weights(self, images: Matrix, curvature: Vector) -> npt.NDArray[np.bool_]:
        """Return along which directions the weights make most of the curvature."""
        w2 = on_host(self._point.problem.w2) * np.ones(self._point.problem.n)
        most: npt.NDArray[np.bool_] = w2 @ images**2 > WEIGHTS_SHARE * curvature
        return most

    def _slopes(self, images: Matrix, apart: bool) -> Vector:
        """Return the slopes of the loss along directions with these images."""
        varying, w2 = self._varying(images, apart)
        pull = w2 * on_host(self._point.z)
        slopes: Vector = varying.T @ (on_host(self._point.gradient_z) - pull) + images.T @ pull
        return slopes

    def _apply_curvature(self, images: Matrix) -> Matrix:
        """Return B Y for the curvature B in z."""
        curvature = self._point.curvature
        product: Matrix = curvature.on_host().apply_rows(images)
        if curvature.v is not None:
            v, h = on_host(curvature.v), on_host(curvature.h)
            product += np.outer(v, h @ images) + np.outer(h, v @ images)
        return product

    def _curvature(self, images: Matrix, seen: tuple[Matrix, Vector]) -> tuple[Matrix, Vector]:
        """Return Y^T B Y, and the roots of the sizes that its terms have before they cancel."""
        curvature = self._point.curvature
        varying, w2 = seen
        terms = np.abs(on_host(curvature.magnitude) - w2) @ varying**2 + w2 @ images**2
        if curvature.v is not None:
            v, h = np.abs(on_host(curvature.v)), np.abs(on_host(curvature.h))
            terms = terms + 2.0 * (v @ np.abs(varying)) * (h @ np.abs(varying))
        pulled = w2[:, None] * images
        gram = varying.T @ (self._apply_curvature(varying) - w2[:, None] * varying)
        gram = gram + images.T @ pulled
        return 0.5 * (gram + gram.T), np.sqrt(np.where(terms > 0, terms, 1.0))


def _saddle(point: Evaluation, direction: Vector) -> Finding:
    return Finding(point.problem.matrix.asarray(direction), inf, None, lambda y: inf)
