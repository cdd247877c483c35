"""The instances of the race: made-up ones on a grid, sparse ones, and the registered real ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from math import sqrt
from typing import Any

import numpy as np
import numpy.typing as npt

from softres.data.instance import Instance
from softres.data.registry import published
from softres.data.sets.synthetic import Synthetic, make_synthetic
from softres.data.weights import WeightOptions, squared_weight
from softres.problems import SoftResidualRegression

__all__ = ["InstanceMaker", "RaceArrays", "RaceInstance", "race_instances"]

#: |A|_2 of every instance.
R = 4.0
SIZES = (50, 200, 500, 1000, 2000)
RATIOS = (20, 200, 2000)
CONDITIONS = (1.0, 1e2, 1e4)
ROW_KINDS = ("gaussian", "coherent")
WEIGHTS = (1.0, 1e-2, 1e-4)
DENSITIES = (1e-3, 1e-2, 1e-1)


@dataclass(frozen=True)
class RaceInstance:
    """One instance of the race, by what it is made from.

    Attributes
    ----------
    data
        ``"synthetic"`` or a name of :data:`softres.data.real.published()`.
    n, d
        Rows and columns of A.
    weight
        w^2 over the largest v^2 / alpha^2 at x0 (the relative rule).
    condition, rows, density
        See :class:`softres.data.sets.synthetic.Synthetic`; not used by real data.
    """

    data: str
    n: int
    d: int
    weight: float
    condition: float = 1.0
    rows: str = "gaussian"
    density: float = 1.0

    @property
    def name(self) -> str:
        """What the tables call it."""
        weight = f"w={_short(self.weight)}"
        if self.data != "synthetic":
            return f"{self.data} {weight}"
        size = f"d={self.d} n/d={self.n // self.d}"
        if self.density < 1:
            size += f" density={100 * self.density:g}%"
        return f"{size} cond={_short(self.condition)} {self.rows} {weight}"

    @property
    def kind(self) -> str:
        """``"dense"``, ``"sparse"`` or ``"real"``."""
        if self.data != "synthetic":
            return "real"
        return "dense" if self.density == 1 else "sparse"

    @property
    def matrix_key(self) -> tuple[object, ...]:
        """What A and b depend on: all but the weight."""
        return (self.data, self.n, self.d, self.condition, self.rows, self.density)


@dataclass(frozen=True)
class RaceArrays:
    """An instance as arrays.

    Attributes
    ----------
    A
        n x d: a NumPy array or a SciPy CSR array.
    b
        Shape (n,).
    w2
        The squared weight of every row.
    x0
        Shape (d,).
    """

    A: Any
    b: npt.NDArray[np.float64]
    w2: float
    x0: npt.NDArray[np.float64]

    def problem(self) -> SoftResidualRegression:
        """Return the instance as a problem with pass counter and caches of its own."""
        return SoftResidualRegression(self.A, self.b, sqrt(self.w2))


class InstanceMaker:
    """Makes instances, and keeps the last A: neighbours differ in the weight alone."""

    def __init__(self) -> None:
        self._key: tuple[object, ...] | None = None
        self._instance: Instance | None = None

    def __call__(self, instance: RaceInstance) -> RaceArrays:
        """Return the instance's arrays."""
        if self._instance is None or self._key != instance.matrix_key:
            self._instance = None  # let go of the old A before the new one is made
            self._instance, self._key = _load(instance), instance.matrix_key
        A, b = self._instance.A, self._instance.b
        plain = SoftResidualRegression(A, b)
        w2 = squared_weight(WeightOptions("relative", instance.weight), plain, 0.0)
        return RaceArrays(A, np.asarray(b), w2, np.asarray(plain.start()))


def race_instances(
    profile: str, max_bytes: float = 2.5e9, max_flops: float = 2.5e11
) -> list[RaceInstance]:
    """Return the instances of a profile, ordered so that equal matrices are neighbours.

    Parameters
    ----------
    profile
        ``"quick"`` or ``"full"``.
    max_bytes
        Largest made-up dense A.
    max_flops
        Largest n d^2, the work of one step of exact Newton, on such an A.
    """
    quick = profile == "quick"
    chosen = list(_dense(quick))
    if not quick:
        for density in DENSITIES:
            chosen.append(RaceInstance("synthetic", 200_000, 1000, 1e-2, 10.0, "gaussian", density))
    chosen.extend(_real(quick))
    return [
        instance
        for instance in chosen
        if instance.kind != "dense"
        or (
            8.0 * instance.n * instance.d <= max_bytes
            and float(instance.n) * instance.d**2 <= max_flops
        )
    ]


def _dense(quick: bool) -> Iterator[RaceInstance]:
    sizes, ratios = (SIZES[:2], RATIOS[:2]) if quick else (SIZES, RATIOS)
    conditions = (CONDITIONS[0], CONDITIONS[-1]) if quick else CONDITIONS
    weights = WEIGHTS[1:] if quick else WEIGHTS
    for d, ratio, condition, rows, weight in product(sizes, ratios, conditions, ROW_KINDS, weights):
        yield RaceInstance("synthetic", ratio * d, d, weight, condition, rows)


def _real(quick: bool) -> Iterator[RaceInstance]:
    for name, options in published().items():
        if quick and name != "digits":
            continue
        n, d = options().size(None, None, None)
        for weight in (1e-2, 1e-4):
            yield RaceInstance(name, n, d, weight)


def _load(case: RaceInstance) -> Instance:
    if case.data != "synthetic":
        return published()[case.data]().load(case.n, case.d, R, 0)
    options = Synthetic(condition=case.condition, rows=case.rows, density=case.density)
    return make_synthetic(case.n, case.d, R, 0, options)


def _short(value: float) -> str:
    """Return 1, 0.5 or 1e-4 rather than 0.0001."""
    if value != 0 and (value >= 100 or value < 0.1):
        mantissa, exponent = f"{value:.15e}".split("e")
        return f"{float(mantissa):g}e{int(exponent)}"
    return f"{value:g}"
