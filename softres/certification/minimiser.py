"""Finding the minimiser x* of an instance once, to the floor of the arithmetic, with a proof."""

from __future__ import annotations

import hashlib
from math import inf
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from softres.certification.definite_newton import DefiniteNewton
from softres.common.errors import InputError
from softres.linalg.definite import DENSE_COLUMNS, DefiniteFactor, definite
from softres.linalg.factors import SpectralFactor, spectral
from softres.linalg.nullspace import null_basis
from softres.matrices import StreamedMatrix
from softres.matrices.kronecker import KroneckerMatrix
from softres.problems import Problem
from softres.problems.evaluation import Evaluation
from softres.problems.reference import CERTIFIED, Certificate, Reference
from softres.solvers import solve
from softres.solvers.optimality import at_boundary, escape, examine, units_of_rounding

__all__ = ["Minimiser", "certify", "digest", "find_minimiser"]

Vector = npt.NDArray[np.float64]
Minimiser = tuple[Vector, Certificate]
Factor = SpectralFactor | DefiniteFactor

#: Newton steps before giving up on a minimiser.
MAX_STEPS = 500
#: Times a saddle is left along its most negative eigenvector.
ESCAPES = 10


def digest(*parts: Any) -> str:
    """Return a hash of arrays, sparse matrices and plain values, by content."""
    state = hashlib.blake2b(digest_size=16)
    for part in parts:
        if sparse.issparse(part):
            state.update(f"{part.shape}".encode())
            arrays = [part.indptr, part.indices, part.data]
        elif isinstance(part, np.ndarray):
            arrays = [part]
        elif isinstance(part, StreamedMatrix):
            # The files were hashed as they were written.
            state.update(f"{part.shape}{part.identity}".encode())
            continue
        elif isinstance(part, KroneckerMatrix):
            arrays = [part.A1, part.A2]
        else:
            state.update(f"{part!r}\x1f".encode())
            continue
        for array in arrays:
            state.update(f"{array.dtype}{array.shape}".encode())
            state.update(np.ascontiguousarray(array).data)
    return state.hexdigest()


def certify(problem: Problem, x0: Any = None) -> Reference:
    """Find the minimiser x* and prove what can be proven of it; nothing is cached.

    ``softres.solve(problem, reference=softres.certify(problem))`` records true errors.

    Parameters
    ----------
    problem
        On the host in float64: x* is found there, whatever the solves are to run on.
    x0
        Where Newton's method sets out, shape (d,); by default the problem's own start. Where a
        loss has several minimisers it decides which one is found.

    Returns
    -------
    x* with its certificate; ``reference.certificate.certified`` says whether it is proven.

    Raises
    ------
    InputError
        If the problem is not on the host in float64.

    Examples
    --------
    >>> import numpy as np, softres
    >>> problem = softres.SoftmaxRegression(np.eye(3, 2), [0.6, 0.3, 0.1], w=0.1)
    >>> certificate = softres.certify(problem).certificate
    >>> certificate.certified, certificate.negative
    (True, 0)
    """
    start = problem.start() if x0 is None else x0
    if not (isinstance(start, np.ndarray) and start.dtype == np.float64):
        raise InputError("certify takes a problem of NumPy or SciPy arrays in float64, and such x0")
    return Reference(problem, *find_minimiser(problem, start))


def find_minimiser(problem: Problem, x0: Vector) -> Minimiser:
    """Run safeguarded Newton to the floor, leave saddles, polish, and certify.

    Up to 600 columns by exact Newton's trust region and a full eigendecomposition. Beyond, by
    Cholesky factors alone: positive definiteness is proved by the last one, off the null space of
    A, and the ends of the spectrum come from it. An eigendecomposition is made only where that
    factor fails, at a saddle.

    Where a loss has several minimisers, x* is thus the one that Newton's method ends in. The way
    there has no part in what is measured: it depends on no rate of the machine, as that of the
    default solver does.
    """
    with np.errstate(all="ignore"):  # a point beyond the range of doubles gets no certificate
        return _find(problem, x0)


def _find(problem: Problem, x0: Vector) -> Minimiser:
    x, null = x0, null_basis(problem.matrix) if problem.d > DENSE_COLUMNS else None
    for _ in range(ESCAPES):
        point = _inside(problem, _descend(problem, x, null), x)
        factor = _factor(point, null)
        if factor is None:
            break
        if factor.negative == 0:
            return _polish(point, factor, x0)
        assert isinstance(factor, SpectralFactor)
        left = escape(point, factor.downhill)
        if left is None:
            break
        x = np.asarray(left.x)
    return np.asarray(point.x), _certificate(point, factor, x0)


def _descend(problem: Problem, x: Vector, null: Vector | None) -> Vector:
    """Return where Newton's method from x ends."""
    solver = "exact_newton" if null is None else DefiniteNewton(null)
    return np.asarray(solve(problem, solver, x, eps=1e-15, max_steps=MAX_STEPS).x)


def _factor(point: Evaluation, null: Vector | None) -> Factor | None:
    """Factor the Hessian at a point; ``None`` where it is not finite."""
    H = point.hessian()
    return (None if null is None else definite(H, null)) or spectral(
        H, point.problem.matrix.column_scale
    )


def _inside(problem: Problem, x: Vector, before: Vector) -> Evaluation:
    """Return the evaluation at x, or next to it on the way from where a solve began.

    A z that was carried along many steps may lie inside alpha >= beta by rounding, and A x not.
    """
    point, share = problem.at(x), problem.unit
    while not point.inside and share < 1.0:
        point = problem.at(x + share * (before - x))
        share *= 4.0
    return point if point.inside else problem.at(before)


def _polish(point: Evaluation, factor: Factor, x0: Vector) -> Minimiser:
    """Repeat Newton steps with the last Hessian while they shrink, from a fresh z = A x each."""
    step = factor.solve(point.gradient)
    for _ in range(5):
        trial = point.problem.at(point.x - step)
        if not trial.inside:
            break
        following = factor.solve(trial.gradient)
        if not float(following @ following) < float(step @ step):
            break
        point, step = trial, following
    return np.asarray(point.x), _certificate(point, factor, x0)


def _certificate(point: Evaluation, factor: Factor | None, x0: Vector) -> Certificate:
    if factor is None:
        return Certificate(float("nan"), inf, 0.0, 0.0, 0, 0, inf, False, False)
    step = factor.solve(point.gradient)
    matrix = point.problem.matrix
    terms = np.linalg.norm(matrix.column_scale) * np.linalg.norm(point.gradient_z)
    x0 = _yardstick(point.x, x0)
    moved = float(np.linalg.norm(point.x - x0))
    error = float(np.linalg.norm(step)) if _seen(point, factor) else inf
    return Certificate(
        relative_gradient=float(np.linalg.norm(point.gradient) / terms) if terms > 0 else 0.0,
        estimated_error=error / moved if moved > 0 else (0.0 if error == 0 else inf),
        smallest_eigenvalue=factor.smallest,
        largest_eigenvalue=factor.largest
        if isinstance(factor, DefiniteFactor)
        else float(factor.values[-1]),
        rank=factor.rank,
        negative=factor.negative,
        gradient_units=units_of_rounding(point),
        interior=point.inside and not at_boundary(point, -step),
        confirmed=_confirmed(point, x0),
    )


def _yardstick(x: Vector, x0: Vector) -> Vector:
    """Return what the distance from x is the scale of an error at x.

    A start that is x* to rounding says nothing of the error: x* itself is the scale then.
    """
    return x0 if np.linalg.norm(x - x0) > 1e-8 * np.linalg.norm(x) else np.zeros_like(x)


def _confirmed(point: Evaluation, x0: Vector) -> bool:
    """Whether the products with A show what the Hessian does, where that takes no time to speak of.

    A direction whose curvature is rounding is one of A's null vectors, or leads to a minimum at
    infinity: the spectrum of the Hessian alone cannot tell.
    """
    if point.problem.d > DENSE_COLUMNS:
        return True
    return examine(point, point.problem.at(x0), CERTIFIED).minimiser


def _seen(point: Evaluation, factor: Factor) -> bool:
    """Whether the Hessian sees all of the gradient but its rounding.

    Where A is too ill-conditioned, a direction in which the loss still falls may have a curvature
    that is rounding beside the others: H^+ g says nothing of it.
    """
    if not isinstance(factor, SpectralFactor) or factor.rank == point.problem.d:
        return True
    g, problem = point.gradient, point.problem
    unseen = g - factor.project(g)
    # The residual may be rounding itself, f - b with both of a size.
    parts = np.tile(point.terms + float(np.abs(point.f @ point.c)), problem.layers)
    slope = np.sqrt(point.gauss_newton_diagonal)
    size = np.linalg.norm(slope * parts + problem.w2 * np.abs(point.z))
    floor = problem.gram_noise * size * np.linalg.norm(problem.matrix.column_scale)
    return bool(np.linalg.norm(unseen) <= floor)
