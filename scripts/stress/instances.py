"""Small regression problems of every structure that has fooled a solver, one for each number."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = [
    "FROM_RESCALED",
    "PROBLEMS",
    "RESCALED",
    "SCALES",
    "STRUCTURES",
    "TARGETS",
    "Instance",
    "draw",
]

Array = npt.NDArray[np.float64]
Rng = np.random.Generator

PROBLEMS = (
    "softres", "softmax", "resnet:exp", "resnet:tanh", "resnet:softplus", "resnet:gelu", "exp",
    "cosh", "sinh",
)  # fmt: skip

#: Rescaled regression by its link, which cases from this number on also pose (seeds from 1000).
RESCALED = tuple(
    f"rescaled:{link}"
    for link in (
        "exp", "softres", "cosh", "sinh", "resnet-tanh", "resnet-softplus", "resnet-gelu",
    )
)  # fmt: skip
FROM_RESCALED = 1_000_000_000


def _plain(rng: Rng, n: int, d: int) -> Array:
    return rng.standard_normal((n, d))


def _integer(rng: Rng, n: int, d: int) -> Array:
    return rng.integers(-3, 4, (n, d)).astype(np.float64)


def _mirror(rng: Rng, n: int, d: int) -> Array:
    """Rows in pairs that a mirror changes into each other: a start on the mirror never leaves it.

    The mirror swaps two columns, as in (3, -1), (1, -2), ..., or turns the sign of one.
    """
    half = rng.integers(-3, 4, ((n + 1) // 2, d)).astype(np.float64)
    if rng.random() < 0.5:
        half = half + rng.standard_normal(half.shape)
    other = half.copy()
    if d > 1 and rng.random() < 0.5:
        other[:, [0, 1]] = half[:, [1, 0]]
    else:
        other[:, 0] = -half[:, 0]
    return np.stack([half, other], axis=1).reshape(-1, d)[:n]


def _constant(rng: Rng, n: int, d: int) -> Array:
    A = rng.standard_normal((n, d))
    A[:, 0] = rng.choice([1.0, -1.0, 3.0])
    if rng.random() < 0.3:
        A[:, 1:] *= 10.0 ** rng.uniform(-8, 0)
    return A


def _zero_column(rng: Rng, n: int, d: int) -> Array:
    A = rng.standard_normal((n, d))
    A[:, rng.integers(d)] = 0.0
    return A


def _equal_columns(rng: Rng, n: int, d: int) -> Array:
    A = rng.standard_normal((n, d))
    A[:, -1] = A[:, 0] * rng.choice([1.0, -2.0])
    return A


def _scaled_columns(rng: Rng, n: int, d: int) -> Array:
    return rng.standard_normal((n, d)) * 10.0 ** rng.uniform(-8, 8, d)


def _graded_columns(rng: Rng, n: int, d: int) -> Array:
    return rng.standard_normal((n, d)) * np.logspace(0, -rng.uniform(4, 12), d)


def _deficient(rng: Rng, n: int, d: int) -> Array:
    rank = int(rng.integers(1, max(2, min(n, d))))
    return rng.standard_normal((n, rank)) @ rng.standard_normal((rank, d))


def _wide(rng: Rng, n: int, d: int) -> Array:
    return rng.standard_normal((min(n, int(rng.integers(1, d + 1))), d))


def _conditioned(rng: Rng, n: int, d: int) -> Array:
    U, _, V = np.linalg.svd(rng.standard_normal((n, d)), full_matrices=False)
    return np.asarray((U * np.logspace(0, -rng.uniform(1, 7), U.shape[1])) @ V)


def _sparse_rows(rng: Rng, n: int, d: int) -> Array:
    return rng.standard_normal((n, d)) * (rng.random((n, d)) < 0.3)


STRUCTURES: dict[str, Callable[[Rng, int, int], Array]] = {
    "plain": _plain,
    "integer": _integer,
    "mirror": _mirror,
    "constant": _constant,
    "zero_column": _zero_column,
    "equal_columns": _equal_columns,
    "scaled_columns": _scaled_columns,
    "graded_columns": _graded_columns,
    "deficient": _deficient,
    "wide": _wide,
    "conditioned": _conditioned,
    "sparse_rows": _sparse_rows,
}
TARGETS = ("random", "uniform", "halves", "planted", "one_hot", "zero", "signed")
SCALES = ("one", "moderate", "small", "extreme")
WEIGHTS = ("none", "usual", "small", "large", "random")
STARTS = ("default", "default", "far", "minimiser")
KINDS = ("numpy", "numpy", "numpy", "float32", "torch", "torch32", "sparse")


@dataclass(frozen=True)
class Instance:
    """A problem's numbers, and how to set it up.

    Attributes
    ----------
    number
        What it was drawn from.
    problem, branch
        The problem's name, and the branch of a ResNet-style one or the link of a rescaled one.
    structure, target, scale, weights
        The kinds that were drawn.
    A, B, w
        Shapes (n, d), (n, m) and (n,), m targets over one A; in doubles, and rounded to floats
        where ``kind`` is of float32.
    kind
        The array library and the precision.
    start
        ``default``, ``far``, or the ``minimiser`` itself.
    eps
        The error that is asked for.
    """

    number: int
    problem: str
    branch: str
    structure: str
    target: str
    scale: str
    weights: str
    A: Array
    B: Array
    w: Array | None
    kind: str
    start: str
    eps: float

    @property
    def words(self) -> set[str]:
        """Every word that describes the instance."""
        words = {self.problem, self.structure, self.target, self.scale, self.kind, self.start}
        return words | {self.branch, f"w_{self.weights}"} - {""}

    def __str__(self) -> str:
        n, d = self.A.shape
        problem = f"{self.problem}:{self.branch}" if self.branch else self.problem
        return (
            f"{problem} {n}x{d} {self.structure}, b {self.target}, scale {self.scale}, "
            f"w {self.weights}, {self.kind}, start {self.start}, eps {self.eps:g}"
        )


def draw(number: int) -> Instance:
    """Return the instance of a number."""
    rng = np.random.default_rng(number)
    posed = PROBLEMS + RESCALED if number >= FROM_RESCALED else PROBLEMS
    problem, _, branch = str(rng.choice(posed)).partition(":")
    structure = str(rng.choice(list(STRUCTURES)))
    target = str(rng.choice(TARGETS, p=(0.3, 0.1, 0.15, 0.2, 0.1, 0.08, 0.07)))
    scale = str(rng.choice(SCALES, p=(0.6, 0.2, 0.1, 0.1)))
    weights = str(rng.choice(WEIGHTS, p=(0.4, 0.2, 0.15, 0.1, 0.15)))
    kind = str(rng.choice(KINDS))
    start = str(rng.choice(STARTS))
    eps = float(rng.choice([1e-4, 1e-8, 1e-10]))
    d = int(rng.integers(1, 9))
    n = int(rng.integers(2, 12) if rng.random() < 0.5 else rng.integers(d, 61))
    A = STRUCTURES[structure](rng, n, d)
    # Now and then a second trait: columns on scales of their own.
    if structure not in ("scaled_columns", "graded_columns") and rng.random() < 0.1:
        A = A * 10.0 ** rng.uniform(-8, 8, A.shape[1])
    n = A.shape[0]
    planted = _shares(np.exp(A @ (rng.standard_normal(A.shape[1]) / _norms(A))))
    single = kind.endswith("32")
    A = A * 10.0 ** _exponent(rng, scale, single)
    B = np.stack([_target(rng, target, n, planted) for _ in range(3)], axis=1)
    if problem in ("softres", "softmax", "rescaled"):
        B = np.abs(B)
    w = _weights(rng, weights, n)
    if single:
        A, B = _single(A), _single(B)
        w = None if w is None else _single(w)
    return Instance(
        number, problem, branch, structure, target, scale, weights, A, B, w, kind, start, eps
    )


def _norms(A: Array) -> Array:
    norms = np.linalg.norm(A, axis=0)
    return np.asarray(np.where(norms > 0, norms, 1.0) / np.sqrt(max(1.0, A.shape[0])))


def _shares(values: Array) -> Array:
    return np.asarray(values / values.sum())


def _single(values: Array) -> Array:
    return values.astype(np.float32).astype(np.float64)


def _exponent(rng: Rng, scale: str, single: bool) -> float:
    low, high = {"one": (0, 0), "moderate": (-3, 1), "small": (-14, -2), "extreme": (-150, 150)}[
        scale
    ]
    # A float32 ends at 1e38, and its squares must not.
    return float(rng.uniform(low, high)) * (0.08 if single and scale == "extreme" else 1.0)


def _target(rng: Rng, kind: str, n: int, planted: Array) -> Array:
    if kind == "uniform":
        return np.full(n, 1.0 / n)
    if kind == "halves":  # 0 and 1/2 in turn, or the same for both rows of a pair
        pattern = np.repeat(rng.choice([0.0, 0.5, 1.0], (n + 1) // 2), 2)[:n]
        other = np.resize(rng.choice([0.0, 0.5, 1.0], 2), n)
        return np.asarray((pattern if rng.random() < 0.5 else other) / max(2.0, n / 2))
    if kind == "planted":
        noise = rng.choice([0.0, 0.3])
        return _shares(planted * np.exp(noise * rng.standard_normal(n)))
    if kind == "one_hot":
        return np.asarray(np.eye(n)[rng.integers(n)])
    if kind == "zero":
        return np.zeros(n)
    if kind == "signed":
        return np.asarray(rng.standard_normal(n) / n)
    return np.asarray(rng.dirichlet(np.ones(n)) * rng.choice([1.0, 1.0, 0.5]))


def _weights(rng: Rng, kind: str, n: int) -> Array | None:
    if kind == "none":
        return None
    if kind == "random":
        return np.asarray(10.0 ** rng.uniform(-4, 1, n))
    low, high = {"usual": (-2, -2), "small": (-8, -3), "large": (0, 2)}[kind]
    return np.full(n, 10.0 ** rng.uniform(low, high))
