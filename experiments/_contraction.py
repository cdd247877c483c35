"""Newton steps near a minimiser with Hessians that are off by a known spectral error.

Shared by the tests of Lemmas A.10 and A.11. Their bounds need l, the smallest eigenvalue of the
Hessian at x*, and M, its Lipschitz constant. The recalled M is beyond doubles, so M is also
measured: it is the largest difference quotient found, hence never larger than the true one, and a
bound made with it is the sharpest that the lemma can mean.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from softres.evaluation import Evaluation
from softres.harness.probe import ProbeContext
from softres.problems import Problem
from softres.sketching import approximate_scores, sample_rows, sample_size

__all__ = ["DIRECTIONS", "KINDS", "Inexact", "Neighbourhood", "inexact_hessian"]

Vector = npt.NDArray[np.float64]
Matrix = npt.NDArray[np.float64]

#: Where a start lies, seen from x*: along the eigenvectors of the Hessian's ends, or anywhere.
DIRECTIONS = ("stiff", "soft", "random")
#: How the Hessian is off. ``reflect`` turns the error that is left towards the softest direction
#: and ``shrink`` overshoots as far as the band allows: the worst for the Euclidean and for the
#: H-norm. ``sampled`` is what Algorithm 1 draws.
KINDS = ("reflect", "shrink", "sampled")
#: Points on a segment, and random pairs in its ball, that M is measured on.
SEGMENT, PAIRS = 5, 4
#: A distance counts as resolved where it is this many times the error of x* itself.
RESOLVED = 1e4


@dataclass(frozen=True)
class Neighbourhood:
    """The surroundings of a certified minimiser.

    Attributes
    ----------
    problem
        The problem, weights included.
    x
        x*, shape (d,).
    blur
        How far x* may be from the true minimiser, in the Euclidean norm.
    """

    problem: Problem
    x: Vector
    blur: float

    @classmethod
    def of(cls, context: ProbeContext) -> Neighbourhood:
        """Return the surroundings of the run's minimiser."""
        prepared = context.prepared
        # A start at 0 makes |x*| the distance that the certificate's error is relative to; where
        # x* is nearly 0 itself, rounding of z = A x is what limits it.
        moved = float(np.linalg.norm(prepared.minimiser - prepared.x0))
        blur = max(prepared.certificate.estimated_error, 1e-16) * moved
        return cls(prepared.problem, prepared.minimiser, blur)

    @cached_property
    def hessian(self) -> Matrix:
        """The Hessian at x*, shape (d, d)."""
        return self.hessian_at(self.x)

    @cached_property
    def eigen(self) -> tuple[Vector, Matrix]:
        """Eigenvalues, ascending, and eigenvectors of the Hessian at x*."""
        values, vectors = np.linalg.eigh(self.hessian)
        return values, vectors

    @property
    def smallest(self) -> float:
        """The l of the lemmas: the smallest eigenvalue of the Hessian at x*."""
        return float(self.eigen[0][0])

    @property
    def condition(self) -> float:
        """Condition number of the Hessian at x*."""
        return float(self.eigen[0][-1] / self.eigen[0][0])

    def hessian_at(self, x: Vector) -> Matrix:
        """Return the Hessian at x, shape (d, d)."""
        return np.asarray(self.problem.at(x).hessian())

    def norm_H(self, y: Vector) -> float:
        """Return the norm of y, shape (d,), in the Hessian at x*."""
        return float(np.sqrt(max(0.0, float(y @ self.hessian @ y))))

    def resolved(self, distance: float) -> bool:
        """Whether a distance to x* stands well above the error of x*."""
        return distance > RESOLVED * self.blur

    def direction(self, name: str, rng: np.random.Generator) -> Vector:
        """Return a unit vector, one of :data:`DIRECTIONS`."""
        vectors = self.eigen[1]
        if name == "random":
            y = rng.standard_normal(len(self.x))
            return y / float(np.linalg.norm(y))
        return vectors[:, -1] if name == "stiff" else vectors[:, 0]

    def lipschitz(self, direction: Vector, radius: float, rng: np.random.Generator) -> float:
        """Measure M: the largest |H(x) - H(y)| / |x - y| on a segment from x* and in its ball."""
        points = [self.x + t * radius * direction for t in np.linspace(0.0, 1.0, SEGMENT)]
        pairs = [(p, q) for i, p in enumerate(points) for q in points[:i]]
        for _ in range(PAIRS):
            ends = rng.standard_normal((2, len(self.x)))
            ends *= radius / np.linalg.norm(ends, axis=1, keepdims=True)
            pairs.append((self.x + ends[0], self.x + ends[1]))
        known = {id(p): self.hessian_at(p) for pair in pairs for p in pair}
        return max(
            float(np.linalg.norm(known[id(p)] - known[id(q)], 2)) / float(np.linalg.norm(p - q))
            for p, q in pairs
        )

    def distance_for(
        self, share: float, direction: Vector, rng: np.random.Generator
    ) -> tuple[float, float]:
        """Return a distance r and the M measured within it, with M r close to share x l.

        M depends on the ball and r on M: three rounds bring them together.
        """
        radius = 1e-3 * max(float(np.linalg.norm(self.x)), 1e3 * RESOLVED * self.blur)
        for _ in range(3):
            M = self.lipschitz(direction, radius, rng)
            # Where the Hessian hardly changes, M r would reach l far outside the problem's range.
            radius = min(share * self.smallest / M, 1.0) if M > 0 else 1.0
        return radius, self.lipschitz(direction, radius, rng)


@dataclass(frozen=True)
class Inexact:
    """A Hessian that is off.

    Attributes
    ----------
    matrix
        H~, shape (d, d).
    error
        The spectral error it has: the least eps with (1 - eps) H <= H~ <= (1 + eps) H.
    diagonal
        D~, shape (n,), with H~ = A^T (D~ + v h^T + h v^T) A.
    ratio
        The smallest entry of D~ / D. Where it is not negative, H~ is what Definition A.9 allows.
    """

    matrix: Matrix
    error: float
    diagonal: Vector
    ratio: float


def inexact_hessian(
    kind: str,
    point: Evaluation,
    away: Vector,
    eps0: float,
    rng: np.random.Generator,
    options: dict[str, float],
) -> Inexact:
    """Return a Hessian at a point that is off by eps0, one of :data:`KINDS`.

    Parameters
    ----------
    away
        The point less x*, shape (d,).
    options
        ``delta`` and ``constant`` of the sample's size, for ``"sampled"``.
    """
    H = np.asarray(point.hessian())
    values, vectors = np.linalg.eigh(H)
    root = (vectors * np.sqrt(values)) @ vectors.T
    whiten = (vectors / np.sqrt(values)) @ vectors.T
    if kind == "sampled":
        matrix, diagonal = _sampled(point, eps0, rng, options)
        error = float(np.abs(np.linalg.eigvalsh(whiten @ (matrix - H) @ whiten)).max())
    else:
        shift = -np.eye(len(H)) if kind == "shrink" else _reflection(root @ away, vectors[:, 0])
        matrix = H + eps0 * root @ shift @ root
        diagonal = _diagonal_for(point, whiten, eps0 * shift)
        error = eps0
    D = np.asarray(point.curvature.diagonal)
    return Inexact(matrix, error, diagonal, float((diagonal / D).min()))


def _reflection(start: Vector, end: Vector) -> Matrix:
    """Return the symmetric orthogonal matrix that swaps the directions of two vectors."""
    u = start / np.linalg.norm(start) - end
    size = float(u @ u)
    identity = np.eye(len(end))
    return identity if size < 1e-20 else identity - (2.0 / size) * np.outer(u, u)


def _diagonal_for(point: Evaluation, whiten: Matrix, shift: Matrix) -> Vector:
    """Return a D~ near D with whiten A^T (D~ - D) A whiten = shift.

    So the worst Hessian in the band is not only a matrix: it is one that a reweighting of rows,
    all that Lemma A.8 speaks of, can make. The factor on a row depends on its direction alone,
    which keeps long rows from carrying all of the change.
    """
    D = np.asarray(point.curvature.diagonal)
    rows = point.problem.matrix.matmul(whiten)
    upper = np.triu_indices(rows.shape[1])
    products = rows[:, upper[0]] * rows[:, upper[1]]
    directions = products / np.maximum((rows * rows).sum(axis=1), np.finfo(float).tiny)[:, None]
    system = (products * D[:, None]).T @ directions
    change = directions @ np.linalg.lstsq(system, shift[upper], rcond=None)[0]
    return np.asarray(D * (1.0 + change))


def _sampled(
    point: Evaluation, eps0: float, rng: np.random.Generator, options: dict[str, float]
) -> tuple[Matrix, Vector]:
    matrix, D = point.problem.matrix, point.curvature.diagonal
    scores = approximate_scores(matrix, np.sqrt(np.abs(D)), rng)
    size = sample_size(matrix.shape[1], eps0, options["delta"], options["constant"])
    sample = sample_rows(scores, size, rng)
    diagonal = np.zeros_like(D)
    diagonal[sample.index] = D[sample.index] * sample.weight
    return np.asarray(point.curvature.hessian(matrix, sample.gram(matrix, D))), diagonal


def cases(eps0s: Any, kinds: Any = KINDS) -> Iterator[tuple[float, str]]:
    """Return every eps0 with every kind of error."""
    for eps0 in eps0s:
        for kind in kinds:
            yield float(eps0), str(kind)
