"""Newton steps near a minimiser with Hessians that are off by a known spectral error.

Shared by the tests of Lemmas A.10 and A.11. Their bounds need l, the smallest eigenvalue of the
Hessian at x*, and M, its Lipschitz constant. The recalled M is beyond doubles. For soft-residual
regression with the theorem's weights the M proven here is small enough to work with: what fails
within its ball is a counterexample for certain. Elsewhere M is measured: the largest difference
quotient found, hence never larger than the true one, so that a bound made with it is the sharpest
that the lemma can mean.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from experiments.claims.contraction.constants import ProvenBalls
from softres.harness.probe import ProbeContext
from softres.problems import Problem

__all__ = ["DIRECTIONS", "LARGEST_EPS0", "NORM_LABELS", "Neighbourhood"]

Vector = npt.NDArray[np.float64]
Matrix = npt.NDArray[np.float64]

#: Where a start lies, seen from x*: along the eigenvectors of the Hessian's ends, or anywhere.
DIRECTIONS = ("stiff", "soft", "random")
NORM_LABELS = {"l2": "the Euclidean norm", "H": "the H-norm"}
#: 2 (eps0 + 0.1 / 0.9) <= 0.4 holds up to here, so this is what the lemmas can be asked with.
LARGEST_EPS0 = 4 / 45
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
    balls
        Proven constants of the Hessian, where the problem and its weights are the theorem's.
    R
        Bounds |x| in the theorem.
    """

    problem: Problem
    x: Vector
    blur: float
    balls: ProvenBalls | None = None
    R: float = 1.0

    @classmethod
    def of(cls, context: ProbeContext) -> Neighbourhood:
        """Return the surroundings of the run's minimiser."""
        prepared = context.prepared
        # A start at 0 makes |x*| the distance that the certificate's error is relative to; where
        # x* is nearly 0 itself, rounding of z = A x is what limits it.
        moved = float(np.linalg.norm(prepared.minimiser - prepared.x0))
        blur = max(prepared.certificate.estimated_error, 1e-16) * moved
        assumed = context.settings.weights.name == "theorem"
        balls = ProvenBalls.of(prepared.problem) if assumed else None
        R = context.settings.R or 1.0
        return cls(prepared.problem, prepared.minimiser, blur, balls, R)

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
    def of_the_theorem(self) -> bool:
        """Whether the problem and its weights are those that the lemmas speak of."""
        return self.balls is not None

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
        """Return a distance r and the M of the ball within it, with M r at most share x l.

        M depends on the ball and r on M. A proven M is solved for, up to |x| = R; for a measured
        one three rounds bring them together, and M r is close to share x l.
        """
        size = float(np.linalg.norm(self.x))
        if self.balls is not None:
            radius = min(self.balls.reach(self.x, self.smallest, share), self.R - size)
            return radius, self.balls.lipschitz(size + radius)
        radius = 1e-3 * max(size, 1e3 * RESOLVED * self.blur)
        for _ in range(3):
            M = self.lipschitz(direction, radius, rng)
            # Where the Hessian hardly changes, M r would reach l far outside the problem's range.
            radius = min(share * self.smallest / M, 1.0) if M > 0 else 1.0
        return radius, self.lipschitz(direction, radius, rng)
