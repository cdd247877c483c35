"""Residual layers that share the rows of the data, under one softmax.

Layer l sees y_l = h_{l-1} + z_l with z_l = A_l x_l and h_0 = 0, and passes on h_l = k y_l + g(y_l);
the last gives u = k y_L + exp(y_L) and f = u / alpha, alpha = <u, 1>. With the skip connection k is
1, without it 0. The loss is 1/2 |f - b|^2 + 1/2 sum over l of |diag(w) z_l|^2.

Row i of f depends, but for alpha, on z_i = (z_i1, .., z_iL) alone: u_i = R(z_i). With p_l = k +
g'(y_l) for l < L, the derivative of y_l in z_m is J_lm = p_m .. p_{l-1} for m <= l, and so

    v_L = k + exp(y_L)        v_l = p_l v_{l+1}                        v = grad R
    t_L = exp(y_L)            t_l = p_l^2 t_{l+1} + g''(y_l) v_{l+1}   E_lm = t_l J_lm,  E = Hess R

because u depends on z_1 to z_l through y_l alone, in which its first two derivatives are v_l and
t_l. With c = f - b, q = (c - <f, c>) / alpha and s = |f|^2 + 2 <f, c>, as for one layer,

    gradient in z_il   v_il q_i + w_i^2 z_il
    curvature          blocks B_i = v_i v_i^T / alpha^2 + q_i E_i + w_i^2 I, plus v h^T + h v^T,
                       h_il = v_il (b_i - 2 f_i + s / 2) / alpha^2

block diagonal plus rank two; the Gauss-Newton part has v_i v_i^T / alpha^2 + w_i^2 I for blocks and
h_il = v_il (|f|^2 / 2 - f_i) / alpha^2. One layer is soft-residual regression with the skip
connection, and softmax regression without.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np

from softres.common.arrays import array_namespace
from softres.common.checks import choice, number, shown, whole
from softres.common.errors import InputError
from softres.common.reading import log_of_sum, scalar
from softres.matrices.layered import layered_matrix
from softres.problems.curvature import BlockCurvature
from softres.problems.evaluation import Evaluation
from softres.problems.links import BRANCHES, Exp, SoftResidual
from softres.problems.parts import Model, Slopes
from softres.problems.problem import Problem

__all__ = ["MultiLayerRegression"]


class MultiLayerRegression(Problem):
    """f = u / <u, 1> with u from several residual layers, each with its own x over the same rows.

    x and z stand layer by layer: x of shape (L d,), z of shape (L n,). All layers share w.

    Parameters
    ----------
    layers
        L, a whole number >= 1. A is one matrix for all layers, or a list of L of the same shape.
    skip
        Whether every layer passes on what it sees beside its branch.
    branch
        g of the layers before the last: ``"tanh"``, ``"exp"``, ``"softplus"`` or ``"gelu"``.

    Examples
    --------
    >>> import numpy as np
    >>> problem = MultiLayerRegression(np.eye(4, 2), np.full(4, 0.25), w=0.1, layers=3)
    >>> problem.hessian(np.zeros(6)).shape
    (6, 6)
    """

    name = "multilayer"
    order = 4
    normalised = True

    def __init__(
        self,
        A: Any,
        b: Any,
        w: Any = None,
        *,
        layers: int = 2,
        skip: bool = True,
        branch: str = "tanh",
        beta: float | None = None,
    ) -> None:
        if not isinstance(skip, bool | np.bool_):
            raise InputError(f"skip={shown(skip)}: allowed are true and false")
        choice("branch", branch, BRANCHES)
        self.layers = whole("layers", layers)
        self.blocks = self.layers > 1
        self.skip, self.branch = bool(skip), branch
        self.shift_invariant = self.layers == 1 and not self.skip
        if self.skip and beta is not None:
            beta = number("beta", beta, "a positive number, for u takes both signs")
        elif not self.skip and beta is None:
            beta = 0.0  # u is positive: alpha has no zero
        link = SoftResidual() if self.skip else Exp()
        super().__init__(layered_matrix(A, self.layers), b, w, link=link, beta=beta)
        self.w2 = array_namespace(self.w2).concat([self.w2] * self.layers)

    @property
    def n(self) -> int:
        """Rows of the data."""
        return self.matrix.shape[0] // self.layers

    def at(self, x: Any, z: Any | None = None) -> Evaluation:
        """Return the evaluation at x, shape (L d,); ``z`` is A x where it is known."""
        return Evaluation(self, x, z) if self.layers == 1 else _LayeredEvaluation(self, x, z)


class _LayeredEvaluation(Evaluation):
    """A point of a model with two layers or more.

    Of its model e holds the Hessians of R over alpha, shape (L, L, n), and v has shape (n L,).
    """

    problem: MultiLayerRegression

    def _blocks(self, vector: Any) -> Any:
        """Return a vector of shape (n L,) by layers, shape (L, n)."""
        return array_namespace(vector).reshape(vector, (self.problem.layers, -1))

    @cached_property
    def _model(self) -> Model:
        problem, xp = self.problem, array_namespace(self.z)
        layers, link = problem.layers, problem.normalisable
        z, target = self._blocks(self.z), problem.target
        skip, branch = float(problem.skip), BRANCHES[problem.branch]
        with np.errstate(all="ignore"):  # leaving the range of doubles is reported by `inside`
            y, slopes, bends = z[0], [], []
            for layer in range(1, layers):
                g, slope, bend = branch(y)
                slopes.append(skip + slope)
                bends.append(bend)
                y = skip * y + g + z[layer]
            m = link.shift(y)
            u, v, e, _ = link.scaled(y, m)
            alpha = scalar(u.sum())
            log_alpha = log_of_sum(alpha, m)
            f = u / alpha
            firsts, seconds = [v / alpha], [e / alpha]  # from the last layer to the first
            for slope, bend in zip(reversed(slopes), reversed(bends), strict=True):
                seconds.append(slope * slope * seconds[-1] + bend * firsts[-1])
                firsts.append(slope * firsts[-1])
            hessians = xp.empty_like(z[None, :, :] * z[:, None, :])
            for layer in range(layers):
                mixed = seconds[layers - 1 - layer]
                hessians[layer, layer] = mixed
                for below in range(layer - 1, -1, -1):
                    mixed = mixed * slopes[below]
                    hessians[layer, below] = hessians[below, layer] = mixed
            c = f - target
            sums = scalar(f @ f), scalar(f @ c), scalar(c @ c)
            v = xp.concat(firsts[::-1])
            return Model(f, v, hessians, c, log_alpha, *sums)

    @cached_property
    def _slopes(self) -> Slopes:
        problem, model = self.problem, self._model
        with np.errstate(all="ignore"):
            v, z, w2 = (self._blocks(part) for part in (model.v, self.z, problem.w2))
            centred = model.c - model.fc  # alpha q
            wz = w2 * z
            gradient = v * centred + wz
            blocks = self._outer(v) + centred * model.e
            # With v over alpha, both factors 1/alpha of the rank-two part are inside.
            h = v * (problem.target - 2.0 * model.f + (0.5 * model.ff + model.fc))
            penalty, total = scalar((wz * z).sum()), scalar(blocks.sum())
        return Slopes(gradient.reshape(-1), blocks, h.reshape(-1), penalty, total)

    def _outer(self, v: Any) -> Any:
        """Return the blocks v_i v_i^T + w_i^2 I, shape (L, L, n), for v of shape (L, n)."""
        blocks = v[:, None, :] * v[None, :, :]
        for layer, w2 in enumerate(self._blocks(self.problem.w2)):
            blocks[layer, layer] += w2
        return blocks

    def _curvature(self, blocks: Any, h: Any, pair: tuple[Any, Any] | None) -> BlockCurvature:
        return BlockCurvature.of(blocks, self._model.v, h, pair)

    @cached_property
    def curvature(self) -> BlockCurvature:
        """The curvature in z: block diagonal plus rank two."""
        return self._curvature(self._slopes.diagonal, self._slopes.h, self._pair)

    @cached_property
    def gauss_newton(self) -> BlockCurvature:
        """F^T F + W^2 with F = df/dz, positive semidefinite."""
        model = self._model
        v = self._blocks(model.v)
        h = v * (0.5 * model.ff - model.f)
        return self._curvature(self._outer(v), h.reshape(-1), None)
