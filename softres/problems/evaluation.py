"""One point x of a problem, with everything that follows from z = A x computed at most once."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from math import exp, inf, isfinite
from typing import TYPE_CHECKING, Any

import numpy as np

from softres.common.arrays import array_namespace, norm
from softres.common.reading import Number, Reading, log_of_sum, scalar
from softres.problems.chunks import Pieces, by_chunks
from softres.problems.curvature import Curvature
from softres.problems.parts import Model, Numbers, Slopes
from softres.problems.ray import Ray

if TYPE_CHECKING:
    from softres.problems.problem import Problem

__all__ = ["Evaluation"]


class Evaluation:
    """Value, gradient and curvature of a problem at one x.

    Everything is computed on first use and kept. Products with A are the only expensive part: z
    takes one pass, the gradient one, the rank-two part of the Hessian two at once.

    Attributes
    ----------
    problem
        The problem.
    x
        The point, shape (d,).
    z
        A x, shape (n,).
    """

    def __init__(self, problem: Problem, x: Any, z: Any | None = None) -> None:
        self.problem = problem
        self.x = x
        self.z = self._product() if z is None else z
        self._pair: tuple[Any, Any] | None = None

    def _product(self) -> Any:
        """Return A x; the usual start, x = 0, takes no pass for it."""
        xp, matrix = array_namespace(self.x), self.problem.matrix
        if bool((self.x != 0).any()):
            with np.errstate(all="ignore"):
                return matrix.matmul(self.x)
        return xp.zeros_like(self.problem.w2)

    @cached_property
    def _model(self) -> Model:
        problem, z = self.problem, self.z

        def residual(u: Any, v: Any, e: Any, target: Any) -> Pieces:
            f = u / alpha
            c = f - target
            return (f, v / alpha, e / alpha, c), (scalar(f @ f), scalar(f @ c), scalar(c @ c))

        with np.errstate(all="ignore"):  # leaving the range of doubles is reported by `inside`
            if not problem.normalised:
                (u, v, e), _ = by_chunks(lambda z: (problem.link.evaluate(z), ()), z)
                c = u - problem.target
                return Model(u, v, e, c, 0.0, 0.0, 0.0, scalar(c @ c))
            link = problem.normalisable
            m = link.shift(z)

            def scaled(z: Any) -> Pieces:
                u, v, e, _ = link.scaled(z, m)
                return (u, v, e), (scalar(u.sum()),)

            parts, (alpha,) = by_chunks(scaled, z)
            log_alpha = log_of_sum(alpha, m)
            (f, v, e, c), sums = by_chunks(residual, *parts, problem.target)
            return Model(f, v, e, c, log_alpha, *sums)

    @cached_property
    def _slopes(self) -> Slopes:
        problem, model = self.problem, self._model
        normalised = problem.normalised

        def slopes(z: Any, w2: Any, f: Any, v: Any, e: Any, c: Any, target: Any) -> Pieces:
            centred = c - model.fc if normalised else c  # alpha q
            wz = w2 * z
            arrays: tuple[Any, ...] = (v * centred + wz, v * v + centred * e + w2)
            if normalised:
                # With v over alpha, both factors 1/alpha of the rank-two part are inside.
                arrays += (v * (target - 2.0 * f + half_s),)
            return arrays, (scalar(wz @ z), scalar(arrays[1].sum()))

        half_s = 0.5 * model.ff + model.fc  # s / 2, s = |f|^2 + 2 <f, c>
        with np.errstate(all="ignore"):
            arrays, sums = by_chunks(
                slopes, self.z, problem.w2, model.f, model.v, model.e, model.c, problem.target
            )
        return Slopes(arrays[0], arrays[1], arrays[2] if normalised else None, *sums)

    @cached_property
    def _numbers(self) -> Numbers:
        model, slopes = self._model, self._slopes
        if isinstance(model.cc, float):
            return Numbers(model.log_alpha, model.cc, slopes.penalty, slopes.trace)
        return self.ask(Reading())()

    def ask(self, reading: Reading) -> Callable[[], Numbers]:
        """Ask for what the host decides by, along with what else is asked for."""
        model, slopes = self._model, self._slopes
        asked = [
            reading.number(value)
            for value in (model.log_alpha, model.cc, slopes.penalty, slopes.trace)
        ]

        def read() -> Numbers:
            self.__dict__["_numbers"] = numbers = Numbers(*(number() for number in asked))
            return numbers

        return read

    @property
    def f(self) -> Any:
        """The model f(x), shape (n,)."""
        return self._model.f

    @property
    def c(self) -> Any:
        """The residual f(x) - b, shape (n,); n b for plain problems in place of b, or alpha b."""
        return self._model.c

    @property
    def terms(self) -> Any:
        """Sizes of the terms that alpha q is a sum of, before they cancel, shape (n,).

        u over alpha, whose sum alpha may itself be small beside its terms, the target and <f, c>.
        """
        problem, sizes = self.problem, abs(self.f)
        if problem.normalised:
            sizes = sizes * (1.0 + float(sizes.sum())) + abs(self._model.fc)
        return sizes + abs(problem.target)

    @property
    def log_alpha(self) -> float:
        """log(alpha), alpha = <u, 1>, -inf where alpha is not positive; 0 if not normalised."""
        log_alpha = self._model.log_alpha  # on the host it is there before the slopes are
        return log_alpha if isinstance(log_alpha, float) else self._numbers.log_alpha

    @property
    def alpha(self) -> float:
        """<u, 1>, or inf beyond the range of doubles; 1 for problems that are not normalised."""
        return exp(self.log_alpha) if self.log_alpha < 709 else inf

    @cached_property
    def inside(self) -> bool:
        """Whether x lies where the loss is defined: alpha >= beta, and every value finite.

        The loss of a soft-residual problem has a pole where alpha vanishes; the theory assumes
        alpha >= beta > 0. A plain problem's loss may leave the range of doubles.
        """
        problem, log_alpha = self.problem, self.log_alpha
        if problem.normalised and not (log_alpha >= problem.log_beta and log_alpha > -inf):
            return False
        return isfinite(self.value) and isfinite(self._numbers.trace)

    @property
    def data_value(self) -> float:
        """1/2 |f(x) - b|^2, the loss without its regularisation."""
        return 0.5 * self._numbers.cc

    @cached_property
    def value(self) -> float:
        """The loss, 1/2 |f(x) - b|^2 + 1/2 |diag(w) A x|^2."""
        return self.data_value + 0.5 * self._numbers.penalty

    @property
    def gradient_z(self) -> Any:
        """The gradient in z, v * q + w^2 * z, shape (n,)."""
        return self._slopes.gradient

    @cached_property
    def gradient(self) -> Any:
        """The gradient in x, A^T (v * q + w^2 * z), shape (d,) (Lemma 4.1)."""
        with np.errstate(all="ignore"):
            return self.problem.matrix.rmatmul(self.gradient_z)

    @cached_property
    def gradient_norm(self) -> float:
        """The Euclidean norm of the gradient."""
        return norm(self.gradient)

    def ask_gradient_norm(self, reading: Reading) -> Number:
        """Ask for the norm of the gradient, along with what else is asked for."""
        asked = reading.norm(self.gradient)

        def read() -> float:
            self.__dict__["gradient_norm"] = size = asked()
            return size

        return read

    def differentiate(self) -> None:
        """Compute the gradient and the Hessian's rank-two part in one reading of A.

        For who needs both: three right-hand sides at once cost less than one and then two.
        """
        h = self._slopes.h
        if h is None or "gradient" in self.__dict__ or "curvature" in self.__dict__:
            return
        xp = array_namespace(h)
        sides = xp.stack([self.gradient_z, self._model.v, h])
        products = self.problem.matrix.rmatmul(sides.T).T
        self.__dict__["gradient"] = products[0]
        self._pair = (products[1], products[2])

    @cached_property
    def curvature(self) -> Curvature:
        """The curvature in z: diagonal plus rank two (Lemmas 5.2 and 5.4)."""
        slopes = self._slopes
        if slopes.h is None:
            return Curvature(slopes.diagonal)
        return Curvature(slopes.diagonal, self._model.v, slopes.h, self._pair)

    def growth(self, image: Any) -> float:
        """Return the derivative of log(alpha) in x along p, from its image A p, shape (n,)."""
        return float(self._model.v @ image)

    @property
    def gauss_newton_diagonal(self) -> Any:
        """v^2 / alpha^2, shape (n,): the curvature's diagonal without residual and weights."""
        return self._model.v**2

    @cached_property
    def gauss_newton(self) -> Curvature:
        """F^T F + W^2 with F = df/dz, positive semidefinite: the curvature less its residual part.

        For normalised problems F = (I - f 1^T) diag(v) / alpha, so that F^T F, B1 of Definition
        5.1, is again diagonal plus rank two, with h = v (|f|^2 / 2 - f).
        """
        diagonal = self.gauss_newton_diagonal + self.problem.w2
        if not self.problem.normalised:
            return Curvature(diagonal)
        model = self._model
        return Curvature(diagonal, model.v, model.v * (0.5 * model.ff - model.f))

    def hvp(self, p: Any) -> Any:
        """Return the Hessian's product with p, shape (d,): one pass with A and one with A^T."""
        matrix = self.problem.matrix
        return matrix.rmatmul(self.curvature.apply(matrix.matmul(p)))

    def hessian(self) -> Any:
        """Return the Hessian, shape (d, d): one weighted Gram, and two passes in one reading."""
        return self.curvature.hessian(self.problem.matrix)

    def along(self, p: Any) -> Ray:
        """Return the ray x + t p, t >= 0, for p of shape (d,); one pass."""
        return Ray(self, p, self.problem.matrix.matmul(p))
