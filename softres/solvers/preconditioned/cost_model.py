"""What the parts of a step would cost, in seconds, from operation counts and machine rates."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil, inf, log, sqrt

import numpy as np

from softres.matrices import DesignMatrix, SparseScipy, SparseTorch
from softres.matrices.backends import as_numpy
from softres.matrices.kronecker import KroneckerMatrix
from softres.matrices.layered import LayeredMatrix
from softres.solvers.preconditioned import tuning
from softres.solvers.preconditioned.machine import NOMINAL, Machine

__all__ = ["CostModel", "FactorPlan"]


@dataclass(frozen=True)
class FactorPlan:
    """The factor that a solve starts from.

    Attributes
    ----------
    source
        ``"gram"`` or ``"sketch"``.
    oversampling
        Rows of the sketch over d; 0 for a Gram matrix.
    seconds
        Predicted time of the factor.
    total
        Predicted time of the solve.
    """

    source: str
    oversampling: int
    seconds: float
    total: float


@dataclass(frozen=True)
class CostModel:
    """Predicted seconds of the parts of a step over one matrix.

    Attributes
    ----------
    n, d
        Rows and columns of A.
    product
        One product with A or A^T.
    gram
        A^T diag(D) A in float64.
    single
        The same with most rows in float32; equal to ``gram`` for a sparse A, which has no such.
    embedding
        S A for an embedding S; infinite for a sparse A.
    factor
        A Cholesky factorisation of a d x d matrix.
    solve
        Two systems with such a factor, which is read twice for each.
    overhead
        What a step takes whatever the size.
    """

    n: int
    d: int
    product: float
    gram: float
    single: float
    embedding: float
    factor: float
    overhead: float
    solve: float = 0.0

    @classmethod
    def of(cls, matrix: DesignMatrix, machine: Machine) -> CostModel:
        """Return the model for a matrix on a machine."""
        n, d = matrix.shape
        if isinstance(matrix, LayeredMatrix):
            return cls._of_layers(matrix, machine)
        if isinstance(matrix, KroneckerMatrix):
            return cls._of_factors(matrix, machine)
        dense = n * float(d) ** 2
        if isinstance(matrix, SparseScipy | SparseTorch):
            rate = machine.sparse_entries
            product = matrix.nnz / rate
            pairs = tuning.SPARSE_PRODUCT * _pairs(matrix) / rate
            gram = min(pairs, dense / machine.double_flops + product)
            single = gram
            # A sketch of a sparse A is dense: its Gram matrix alone costs more than A's.
            embedding = inf
        else:
            rate = machine.double_flops
            size = 8.0 * matrix.nnz
            # How fast a matrix on disk is read was measured too: nominal rates know nothing of it.
            own = None if machine is NOMINAL else matrix.bytes_per_second
            product = size / (own or machine.reading(size))
            gram = dense / machine.double_flops
            single = dense / machine.single_flops
            embedding = 2 * product + tuning.EMBEDDING_WORK * matrix.nnz / rate
        factor = d**3 / 3 / machine.factor_flops
        solve = 4 * 4.0 * d**2 / machine.reading(8.0 * d**2)
        return cls(n, d, product, gram, single, embedding, factor, machine.overhead, solve)

    @classmethod
    def _of_layers(cls, matrix: LayeredMatrix, machine: Machine) -> CostModel:
        """Return the model for several layers: a Gram matrix for every two of them."""
        (n, d), one = matrix.shape, cls.of(matrix.layers[0], machine)
        depth = matrix.depth
        pairs = depth * (depth + 1) / 2
        return replace(
            one,
            n=n // depth,
            d=d,
            product=depth * one.product,
            gram=pairs * one.gram,
            single=pairs * one.gram,
            embedding=inf,
            factor=depth**3 * one.factor,
            solve=depth**2 * one.solve,
        )

    @classmethod
    def _of_factors(cls, matrix: KroneckerMatrix, machine: Machine) -> CostModel:
        """Return the model for A1 (x) A2, whose Gram matrix is a sum over pairs of columns."""
        (n1, _), (n, d) = matrix.blocks, matrix.shape
        d2 = matrix.right.shape[1]
        gram = (0.5 * n * d2**2 + 0.25 * n1 * float(d) ** 2) / machine.double_flops
        return cls(
            n=n,
            d=d,
            product=(float(n) * d2 + float(n1) * d) / machine.double_flops,
            gram=gram,
            single=gram,
            embedding=inf,
            factor=d**3 / 3 / machine.factor_flops,
            overhead=machine.overhead,
            solve=4 * 4.0 * d**2 / machine.reading(8.0 * d**2),
        )

    @property
    def step(self) -> float:
        """A step with a factor at hand: one product with A, one with A^T, and two solves."""
        return 2.0 * self.product + self.solve + self.overhead

    @property
    def correction(self) -> float:
        """A step with a factor at hand and no bookkeeping: that is half of what Python takes."""
        return self.step - (1.0 - tuning.CORRECTION_OVERHEAD) * self.overhead

    @property
    def rebuilt_step(self) -> float:
        """A step with a Hessian formed anew, its rank-two part by two products."""
        return self.gram + self.factor + 2.0 * self.product + self.step

    def row_limit(self) -> int:
        """Return how many rows of A may be brought up to date in a step.

        What one pass costs, at least 2 d rows, whose Gram matrix costs no more than a few
        Cholesky factorisations, and at most an eighth of all.
        """
        affordable = self.product / (self.gram / self.n)
        rows = max(tuning.ROWS_PER_COLUMN * self.d, affordable)
        return max(1, int(min(tuning.ROW_SHARE * self.n, rows)))

    def plan(self, eps: float) -> FactorPlan:
        """Return the factor with the least predicted time to a relative error eps."""
        seconds = self.single + self.factor
        total = seconds + tuning.GRAM_STEPS * (self.step + self.factor)
        best = FactorPlan("gram", 0, seconds, total)
        for oversampling in tuning.OVERSAMPLING:
            if oversampling * self.d > tuning.SKETCH_SHARE * self.n:
                break
            # The preconditioned Hessian's spectrum lies within (1 +- 1/sqrt(g))^2 (Marchenko and
            # Pastur), on which conjugate gradients contract by 1/sqrt(g) a step.
            steps = tuning.GRAM_STEPS / 2 + ceil(-log(eps) / log(sqrt(oversampling)))
            rows = oversampling * self.d / self.n
            seconds = self.embedding + self.factor + rows * self.gram
            total = seconds + steps * self.step
            if total < best.total:
                best = FactorPlan("sketch", oversampling, seconds, total)
        return best


def _pairs(matrix: SparseScipy | SparseTorch) -> float:
    """Sum of the squared numbers of entries of the rows: the products in a sparse A^T A."""
    if isinstance(matrix, SparseScipy):
        return matrix.pair_products
    return float(np.sum(np.diff(as_numpy(matrix._crow)).astype(float) ** 2))
