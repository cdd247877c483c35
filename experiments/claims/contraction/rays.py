"""How far from x* a Newton step still does what it should: rays, scans and bisections."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf, sqrt

import numpy as np
import numpy.typing as npt

from softres.problems import Problem
from softres.problems.evaluation import Evaluation
from softres.sketching import approximate_scores, sample_rows
from softres.solvers.approximate.approx_newton import ApproxNewton

__all__ = ["Near", "Radius", "largest_radius", "local_radius"]

Vector = npt.NDArray[np.float64]

#: Distances tried, over 1 / |A|_2: from where rounding is far below the step to where z overflows.
LOWEST, HIGHEST = 1e-4, 1e3
#: Factor between two distances of the scan, and halvings of the last gap.
STRIDE, HALVINGS = 2.0, 8
#: Undamped steps, and the relative error that counts as having converged.
STEPS, CONVERGED = 40, 1e-6


@dataclass(frozen=True)
class Radius:
    """The end of a scan along a ray.

    Attributes
    ----------
    value
        The largest distance up to which the test held at every distance tried; 0 if at none.
    failed
        The least distance at which it was seen to fail; inf where it held to the end of the scan,
        so that the true radius is larger.
    """

    value: float
    failed: float


def largest_radius(holds: Callable[[float], bool], scale: float, lowest: float = inf) -> Radius:
    """Scan distances outward by factors of two to the first failure, and halve the gap.

    Parameters
    ----------
    holds
        The test of a distance.
    scale
        1 / |A|_2.
    lowest
        Where the scan begins, if that is nearer than :data:`LOWEST`.
    """
    last, r = 0.0, min(lowest, LOWEST * scale)
    while r <= HIGHEST * scale:
        if not holds(r):
            break
        last, r = r, r * STRIDE
    else:
        return Radius(last, inf)
    if last == 0.0:
        return Radius(0.0, r)
    low, high = last, r
    for _ in range(HALVINGS):
        middle = sqrt(low * high)
        low, high = (middle, high) if holds(middle) else (low, middle)
    return Radius(low, high)


class Near:
    """The neighbourhood of a minimiser.

    Parameters
    ----------
    problem, x
        The problem and its minimiser.
    sampler
        Algorithm 1's options, for the approximate step.
    seed
        Fixes the sample of every approximate step: a test of a distance repeats itself.
    """

    def __init__(self, problem: Problem, x: Vector, sampler: ApproxNewton, seed: int) -> None:
        self.problem = problem
        self.x = x
        self.H: Vector = np.asarray(problem.at(x).hessian())
        self.sampler = sampler
        self.seed = seed
        self._taken: dict[tuple[bytes, bool], Vector | None] = {}
        again = self.step(self.x, exact=True)
        moved = 0.0 if again is None else float(np.linalg.norm(again - self.x))
        unit = float(np.finfo(np.float64).eps) * float(np.linalg.norm(x))
        #: Nearer to x* than this a distance is rounding: of x* itself, and of a step that is
        #: taken there, both a hundred times over.
        self.floor = 100.0 * max(moved, unit)

    def norm(self, difference: Vector, norm: str) -> float:
        """Return a vector's length in l2 or in the Hessian at x*."""
        if norm == "l2":
            return float(np.linalg.norm(difference))
        return sqrt(max(0.0, float(difference @ (self.H @ difference))))

    def step(self, x: Vector, *, exact: bool) -> Vector | None:
        """Take one undamped step, x - H^-1 g; ``None`` where it cannot be taken."""
        key = (x.tobytes(), exact)  # the tests of two norms ask for the same steps
        if key not in self._taken:
            self._taken[key] = self._take(x, exact=exact)
        return self._taken[key]

    def _take(self, x: Vector, *, exact: bool) -> Vector | None:
        point = self.problem.at(x)
        if not point.inside:
            return None
        H = point.hessian() if exact else self._sampled(point)
        try:
            taken = x - np.linalg.solve(H, point.gradient)
        except np.linalg.LinAlgError:
            return None
        return taken if np.isfinite(taken).all() else None

    def _sampled(self, point: Evaluation) -> Vector:
        matrix, D = point.problem.matrix, point.curvature.diagonal
        rng = np.random.default_rng(self.seed)
        scores = approximate_scores(matrix, np.sqrt(np.abs(D)), rng)
        s = self.sampler.sample_size(matrix.shape[1])
        gram = sample_rows(scores, s, rng, self.sampler.sampling).gram(matrix, D)
        return np.asarray(point.curvature.hessian(matrix, gram))

    def factor(self, direction: Vector, r: float, norm: str, *, exact: bool) -> float:
        """Return what one step from x* + r p multiplies the error by; inf where there is none."""
        start = self.x + r * direction
        after = self.step(start, exact=exact)
        if after is None:
            return inf
        return self.norm(after - self.x, norm) / self.norm(start - self.x, norm)

    def error(self, x: Vector) -> float:
        """Return the spectral error of the sampled Hessian at x, relative to the exact one."""
        point = self.problem.at(x)
        values, vectors = np.linalg.eigh(point.hessian())
        if not values[0] > 0:
            return inf
        whiten = vectors / np.sqrt(values)
        change = self._sampled(point) - point.hessian()
        return float(np.abs(np.linalg.eigvalsh(whiten.T @ change @ whiten)).max())

    def converges(self, direction: Vector, r: float) -> bool:
        """Whether undamped exact Newton from x* + r p arrives at x*."""
        x: Vector | None = self.x + r * direction
        near = max(CONVERGED * r, self.floor)
        for _ in range(STEPS):
            x = None if x is None else self.step(x, exact=True)
            if x is None:
                return False
            if float(np.linalg.norm(x - self.x)) <= near:
                return True
        return False

    def directions(self, count: int, rng: np.random.Generator) -> list[tuple[str, Vector]]:
        """Return unit directions: random ones, and both senses of the Hessian's eigenvectors."""
        found: list[tuple[str, Vector]] = []
        for _ in range(count):
            p = rng.standard_normal(len(self.x))
            found.append(("random", p / float(np.linalg.norm(p))))
        for vector in np.linalg.eigh(self.H)[1].T:
            found += [("worst", vector), ("worst", -vector)]
        return found


def local_radius(
    near: Near, directions: Sequence[Vector], scale: float, allowed: float
) -> tuple[float, float]:
    """Return the largest radius r with M(r) r <= allowed for a measured M, and that M.

    M(r) is the largest |H(x) - H(x*)| / |x - x*| found along the directions within r: a lower
    bound of the Lipschitz constant on that ball, so that the radius is an upper bound of the
    proven one. The lemma needs M on the ball of its own starts, hence M(r) and not M(0).

    Parameters
    ----------
    allowed
        0.1 l for the lemma's start.
    """
    best, best_M, largest = 0.0, 0.0, 0.0
    r = LOWEST * scale
    while r <= HIGHEST * scale:
        for p in directions:
            point = near.problem.at(near.x + r * p)
            if not point.inside:
                return best, best_M  # the Hessian ends here: no larger ball has an M
            change = float(np.linalg.norm(point.hessian() - near.H, 2))
            largest = max(largest, change / r)
        reached = min(r, allowed / largest) if largest > 0 else r
        if reached > best:
            best, best_M = reached, largest
        r *= STRIDE
    return best, best_M
