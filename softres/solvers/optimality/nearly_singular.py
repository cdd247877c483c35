"""Directions in which a Hessian is nearly singular, looked at through their images under A."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np
import numpy.typing as npt
from scipy import linalg

from softres.problems.evaluation import Evaluation
from softres.solvers.optimality.rounding import on_host, rounding_of_slopes

__all__ = ["Directions", "NearlySingular"]

Matrix = npt.NDArray[np.float64]
Vector = npt.NDArray[np.float64]

#: |A q| over |A| up to which a unit vector q counts as a null vector, in units of rounding.
NULL_UNITS = 300.0
#: Relative differences of the entries of an image that is the same for all rows.
CONSTANT_IMAGE = 1e-6
#: Least share of the weights in a curvature that they alone make.
WEIGHTS_SHARE = 0.5
#: Units of rounding up to which a curvature or a slope is none.
ZERO_UNITS = 100.0


@dataclass(frozen=True)
class Directions:
    """Directions q, shape (d, k), with their positive curvatures, shape (k,)."""

    q: Matrix
    curvature: Vector


class NearlySingular:
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
        self, point: Evaluation, q: Matrix, high: Directions, scale: Vector, blurred: bool
    ) -> None:
        self._point, self._scale = point, scale
        self._w2: Vector = on_host(point.problem.w2)
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
        self.seen = Directions(
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

    def _clear(self, q: Matrix, high: Directions) -> Matrix:
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
        if not apart:
            return images, np.zeros(len(images))
        return images - images.mean(axis=0), self._w2

    def _is_of_weights(self, images: Matrix, curvature: Vector) -> npt.NDArray[np.bool_]:
        """Return along which directions the weights make most of the curvature."""
        most: npt.NDArray[np.bool_] = self._w2 @ images**2 > WEIGHTS_SHARE * curvature
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
