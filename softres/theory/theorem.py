"""A theorem of the family as an object: its problem, its constants with their sources, its lemmas.

All theorems of the family read alike: for |A|, |x| <= R and weights w^2 as large as asked for,
H >= l I; the Hessian is Lipschitz with M; and a step of the approximate Newton method shrinks the
error by 0.4, so that T steps lead from M |x0 - x*| <= 0.1 l to eps |x0 - x*|. They differ in the
problem and in the constants. One judge takes them all.
"""

from __future__ import annotations

from abc import ABC
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from math import ceil, log
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from softres.problems import Problem, make_problem
from softres.theory.predictions import CONTRACTION

__all__ = ["LEMMAS", "Constant", "Origin", "Sizes", "Theorem", "contraction_steps", "family_steps"]

Vector = npt.NDArray[np.float64]


class Origin(Enum):
    """Where a constant comes from.

    ``FAMILY``: stated by the sister papers, and confirmed; ``RECALLED``: remembered of them, not
    confirmed; ``OURS``: derived here, with the proof beside it.
    """

    PAPER = "paper"
    FAMILY = "family"
    RECALLED = "recalled"
    OURS = "ours"


@dataclass(frozen=True)
class Sizes:
    """What a theorem's constants are functions of.

    Attributes
    ----------
    n
        Rows of A.
    R
        Bounds |A|_2 and |x|.
    l
        The strong convexity asked for, H >= l I.
    sigma_min
        Smallest singular value of A.
    beta
        Least alpha, for theorems that divide by it.
    """

    n: int
    R: float
    l: float = 1.0  # noqa: E741 - the paper's letter
    sigma_min: float = 1.0
    beta: float = 1.0


@dataclass(frozen=True)
class Constant:
    """A constant of a theorem.

    Attributes
    ----------
    formula
        As it is printed.
    source
        Whose it is.
    value
        Of the sizes: log10 of it where it may exceed doubles, as the theorem says.
    """

    formula: str
    source: Origin
    value: Callable[[Sizes], float]


#: The lemmas that the judge knows, and what each says.
LEMMAS: Mapping[str, str] = {
    "convexity": "H >= l I where |x| <= R, for the theorem's w^2",
    "lipschitz": "|H(x) - H(y)| <= M |x - y| where |x|, |y| <= R",
    "sandwich": "9/10 (B + W^2) <= W^2 <= 11/10 (B + W^2) where |x| <= R",
    "contraction": "a step from M |x0 - x*| <= 0.1 l on shrinks |x - x*| by 0.4 in l2",
    "contraction_H": "a step from M |x0 - x*| <= 0.1 l on shrinks |x - x*| by 0.4 in the H-norm",
    "steps": "T steps lead from M |x0 - x*| <= 0.1 l to eps |x0 - x*|",
}


def family_steps(eps: float) -> int:
    """Return T = log(|x0 - x*| / eps), rounded up, for a relative eps."""
    return max(1, ceil(log(1.0 / eps)))


def contraction_steps(eps: float) -> int:
    """Return T = log(|x0 - x*| / eps) / log(1 / 0.4), rounded up, for a relative eps."""
    return max(1, ceil(log(1.0 / eps) / log(1.0 / CONTRACTION)))


class Theorem(ABC):
    """A theorem on approximate Newton for one problem of the harness.

    A class with a name in a file of :mod:`softres.theory.theorems`, of a plug-in or of a package's
    entry point ``softres.theorems`` is one of those that ``report.py --theorem NAME`` judges.

    Attributes
    ----------
    name
        The name used everywhere.
    place
        Where it is stated.
    problem, options
        What :func:`softres.make_problem` takes.
    least_radius
        Smallest R that it speaks of.
    weight
        The least w^2, the same for every row unless :meth:`weights` says otherwise.
    lipschitz
        log10 of M.
    steps
        T of a relative eps, and its source.
    sandwich
        The least w^2 of the sandwich, where one is stated.
    lemmas
        Whose statement each lemma is, by the names of :data:`LEMMAS`; others are not judged.
    """

    name: ClassVar[str]
    order: ClassVar[int] = 100
    place: ClassVar[str]
    problem: ClassVar[str]
    options: ClassVar[Mapping[str, Any]] = {}
    least_radius: ClassVar[float] = 0.0
    weight: ClassVar[Constant]
    lipschitz: ClassVar[Constant]
    steps: ClassVar[tuple[Callable[[float], int], str, Origin]]
    sandwich: ClassVar[Constant | None] = None
    lemmas: ClassVar[Mapping[str, Origin]]

    def weights(self, sizes: Sizes, b: Vector) -> Vector:
        """Return the least w^2 of every row, shape (n,), for targets b."""
        return np.full(len(b), self.weight.value(sizes))

    def make(self, A: Any, b: Any, w: Any = None) -> Problem:
        """Return its problem over A, b and w."""
        return make_problem(self.problem, A, b, w, **self.options)

    def constants(self) -> dict[str, tuple[str, Origin]]:
        """Return each constant's formula and source, by its letter."""
        found = {
            "w^2": (self.weight.formula, self.weight.source),
            "M": (self.lipschitz.formula, self.lipschitz.source),
            "T": self.steps[1:],
        }
        if self.sandwich is not None:
            found["w^2 (sandwich)"] = (self.sandwich.formula, self.sandwich.source)
        return found
