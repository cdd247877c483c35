"""The instances: small, and between them they lead the solver along each of its ways."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np

from softres.data.seeds import generator
from softres.data.sets.synthetic import Synthetic, make_synthetic
from softres.data.weights import WeightOptions, squared_weight
from softres.problems import Problem, make_problem

__all__ = ["INSTANCES", "LARGE", "AblationInstance"]

#: |A|_2 of every instance.
R = 4.0


@dataclass(frozen=True)
class AblationInstance:
    """One instance, by what it is made from.

    Attributes
    ----------
    shows
        Which way of the solver it is there for.
    problem
        A problem's name.
    n, d
        Rows and columns of A.
    condition, rows, density
        See :class:`softres.data.sets.synthetic.Synthetic`.
    weight
        w^2 by the relative rule, 0 for none.
    repeated
        Columns that are combinations of the others, on top of d.
    factor
        The solver's option.
    """

    shows: str
    problem: str
    n: int
    d: int
    condition: float
    rows: str
    weight: float
    density: float = 1.0
    repeated: int = 0
    factor: str = "auto"

    @property
    def name(self) -> str:
        """What the tables call it."""
        parts = [f"{self.problem} {self.n}x{self.d + self.repeated}", f"cond={self.condition:g}"]
        parts += [self.rows, f"w={self.weight:g}"]
        parts += [f"density={100 * self.density:g}%"] if self.density < 1 else []
        parts += [f"rank={self.d}"] if self.repeated else []
        parts += [self.factor] if self.factor != "auto" else []
        return " ".join(parts)

    def make(self) -> Callable[[], Problem]:
        """Make the arrays; return what makes a problem of them, with counters of its own."""
        options = Synthetic(condition=self.condition, rows=self.rows, density=self.density)
        made = make_synthetic(self.n, self.d, R, 0, options)
        A: Any = made.A
        if self.repeated:
            rng = generator(0, "ablation", self.name)
            A = np.hstack([A, A @ rng.standard_normal((self.d, self.repeated)) / sqrt(self.d)])
        if not self.weight:
            return lambda: make_problem(self.problem, A, made.b)
        plain = make_problem(self.problem, A, made.b)
        w = sqrt(squared_weight(WeightOptions("relative", self.weight), plain, 0.0))
        return lambda: make_problem(self.problem, A, made.b, w)


_Case = AblationInstance
INSTANCES = (
    _Case("a Gram matrix every step", "softres", 1000, 50, 1.0, "gaussian", 1e-2),
    _Case("the same, far from quadratic", "softmax", 1000, 50, 1e4, "coherent", 1e-4),
    _Case("no factor", "softres", 6000, 150, 1.0, "gaussian", 1e-2),
    _Case("rows that move apart", "softres", 6000, 100, 1e4, "gaussian", 1e-4),
    _Case("few indefinite rows", "softres", 4000, 150, 1e4, "coherent", 1e-4),
    _Case("heavy rows in float64", "softmax", 6000, 120, 1e2, "coherent", 1.0),
    _Case("change over all rows", "exp", 6000, 100, 1e2, "gaussian", 1e-2),
    _Case("shares of the residual's part", "cosh", 2000, 100, 1e4, "gaussian", 1e-2),
    _Case("the same, every step anew", "cosh", 1000, 50, 1e2, "gaussian", 1e-2),
    _Case("a saddle", "cosh", 3000, 120, 1e4, "coherent", 1.0),
    _Case("a plain problem", "resnet", 6000, 100, 1e4, "coherent", 1e-4),
    _Case("an expensive factor", "softres", 4000, 600, 10.0, "gaussian", 1e-2, density=0.01),
    _Case("a null space", "softres", 4000, 60, 1e2, "gaussian", 0.0, repeated=4, factor="gram"),
    _Case("a sketch", "softres", 8000, 80, 1e2, "gaussian", 1e-2, factor="sketch"),
)
#: Larger ones, on which factors are dear and a sketch may be the fastest way.
LARGE = (
    _Case("a large factor", "softres", 10_000, 500, 1e4, "coherent", 1e-4),
    _Case("many rows", "softres", 100_000, 200, 1e4, "gaussian", 1e-2),
    _Case("a wide sparse A", "softmax", 8000, 1500, 1e2, "gaussian", 1e-2, density=0.01),
)
