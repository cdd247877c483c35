"""Exact Newton as one writes it by hand in NumPy: the contestant to beat.

Its Gram matrix costs one symmetric rank-k update whatever the signs of D: the few rows with a
negative D are subtracted twice.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import numpy as np
import numpy.typing as npt
from scipy import linalg, sparse

from experiments.race.contestants.base import Contestant, Run
from experiments.race.contestants.loss import LossPoint, PlainLoss, Vector
from experiments.race.recorder import Recorder
from experiments.race.task import Task

__all__ = ["CONTESTANTS"]

Matrix = npt.NDArray[np.float64]
Gram = Callable[[Vector], Matrix]

#: Share of nonzeros above which a sparse A is cheaper as dense row blocks.
DENSE_ENOUGH = 0.02
BLOCK_ROWS = 2048
EPSILON = float(np.finfo(np.float64).eps)


def _prepare(task: Task) -> Run:
    loss = PlainLoss(task.A, task.b, task.w2, task.beta)
    if not task.sparse:
        gram = _dense_gram(task)
    elif task.A.nnz > DENSE_ENOUGH * task.A.shape[0] * task.A.shape[1]:
        gram = _block_gram(task)
    else:
        gram = _sparse_gram(task)
    return lambda record: _newton(loss, gram, task.x0, record)


def _newton(loss: PlainLoss, gram: Gram, x0: Vector, record: Recorder) -> None:
    loss.passes = loss.grams = 0
    record.start()
    point = loss.at(x0)
    g = loss.gradient(point)
    record(x0, loss.passes, loss.grams)
    while True:
        factor = _factor(loss, gram, *point.curvature(), point.v)
        if factor is None:
            factor = _factor(loss, gram, *point.gauss_newton(), point.v)
        if factor is None:
            return
        p = -linalg.cho_solve(factor, g, check_finite=False)
        Ap = loss.A @ p
        loss.passes += 1
        found = _search(loss, point, p, Ap)
        if found is None:
            return
        point = found
        g = loss.gradient(point)
        record(point.x, loss.passes, loss.grams)


def _factor(
    loss: PlainLoss, gram: Gram, D: Vector, h: Vector, v: Vector
) -> tuple[Matrix, bool] | None:
    """Factor A^T (diag(D) + v h^T + h v^T) A; ``None`` where it is not definite.

    Where A lacks rank, and the matrix is singular but not indefinite, a multiple of the identity
    of the size of rounding is added.
    """
    H = gram(D)
    left, right = loss.AT @ v, loss.AT @ h
    loss.grams += 1
    loss.passes += 2
    outer = np.outer(left, right)
    H += outer
    H += outer.T
    for ridge in (0.0, 10.0 * len(H) * EPSILON * float(H.diagonal().max())):
        H.flat[:: len(H) + 1] += ridge
        with suppress(linalg.LinAlgError):
            factor: tuple[Matrix, bool] = linalg.cho_factor(H, check_finite=False)
            return factor
    return None


def _search(loss: PlainLoss, point: LossPoint, p: Vector, Ap: Vector) -> LossPoint | None:
    """Halve the step from 1 until the loss falls; where rounding hides that, the slope decides."""
    slope0 = float(point.gradient_z @ Ap)
    if not slope0 < 0:
        return None
    t = 1.0
    while t > 1e-18:
        trial = LossPoint(loss, point.x + t * p, point.z + t * Ap)
        if np.isfinite(trial.value):
            change = trial.value - point.value
            if abs(change) <= 1e-10 * point.value:
                if float(trial.gradient_z @ Ap) <= -0.8 * slope0:
                    return trial
            elif change <= 1e-4 * t * slope0:
                return trial
        t *= 0.5
    return None


def _dense_gram(task: Task) -> Gram:
    A = task.A
    S = np.empty_like(A)
    S.fill(0.0)  # touched here: the first Gram must not pay for the pages

    def gram(D: Vector) -> Matrix:
        np.multiply(A, np.sqrt(np.abs(D))[:, None], out=S)
        H: Matrix = S.T @ S  # NumPy sees a matrix and its own transpose, and calls syrk
        negative = D < 0
        if negative.any():
            N = S[negative]
            H -= 2.0 * (N.T @ N)
        return H

    return gram


def _sparse_gram(task: Task) -> Gram:
    A = task.A
    lengths = np.diff(A.indptr)

    def gram(D: Vector) -> Matrix:
        data = A.data * np.repeat(D, lengths)
        scaled = sparse.csr_array((data, A.indices, A.indptr), shape=A.shape)
        H: Matrix = (A.T @ scaled).toarray()
        return H

    return gram


def _block_gram(task: Task) -> Gram:
    A = task.A

    def gram(D: Vector) -> Matrix:
        H = np.zeros((A.shape[1], A.shape[1]))
        root = np.sqrt(np.abs(D))[:, None]
        for start in range(0, A.shape[0], BLOCK_ROWS):
            rows = slice(start, start + BLOCK_ROWS)
            S = A[rows].toarray()
            S *= root[rows]
            H += S.T @ S
            negative = D[rows] < 0
            if negative.any():
                N = S[negative]
                H -= 2.0 * (N.T @ N)
        return H

    return gram


CONTESTANTS = (Contestant("hand_newton", "hand", _prepare),)
