"""Made-up instances whose spectrum, coherence, sparsity, solution and noise are chosen."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from scipy import sparse

from softres.common.errors import InputError
from softres.data.base import DataSet
from softres.data.instance import Instance
from softres.data.matrix_scale import scaled_to
from softres.data.seeds import generator
from softres.data.storage import Storage

__all__ = ["Synthetic", "check_size", "make_synthetic"]

ROW_KINDS = ("gaussian", "heavy_tailed", "coherent", "axes", "duplicates")
#: Those that a sparse A may have.
SPARSE_ROW_KINDS = ("gaussian", "heavy_tailed")
#: How far near duplicates differ, relative to their length.
APART = 1e-3

Matrix = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Synthetic(DataSet):
    """Made-up A, planted x and noisy b.

    Attributes
    ----------
    condition
        sigma_max / sigma_min of A. Singular values are spaced evenly in the logarithm. Exact for
        dense A; for sparse A the columns are scaled so, and the condition is only near it.
    sigma_min
        The smallest singular value; overrides ``condition`` (dense A only).
    rows
        ``"gaussian"``: rows alike, leverage scores near d / n. ``"heavy_tailed"``: rows scaled by
        a Student t with 2 degrees of freedom, which gives leverage scores a power law.
        ``"coherent"``: ``leverage_ones`` rows have leverage 1, each the only one in its direction.
        ``"axes"``: d directions, each with the same number of equal rows, as columns of categories
        have; no other rows need as large a sample. ``"duplicates"``: 2 d directions, each with
        the same number of rows that differ by a thousandth. The last three are for dense A only.
    leverage_ones
        Rows of leverage 1 in a coherent A; ``None``: a quarter of d, at least 1.
    density
        Share of entries that are not zero; below 1 A is sparse.
    planted_norm
        |x| of the planted solution; ``None``: R.
    noise
        Standard deviation of log b around the planted model; 0 makes the fit exact.
    """

    name: ClassVar[str] = "synthetic"
    n: ClassVar[int] = 1000
    d: ClassVar[int] = 20
    R: ClassVar[float] = 4.0
    order: ClassVar[int] = 1
    condition: float = 10.0
    sigma_min: float | None = None
    rows: str = "gaussian"
    leverage_ones: int | None = None
    density: float = 1.0
    planted_norm: float | None = None
    noise: float = 0.5

    def __post_init__(self) -> None:
        def require(holds: bool, option: str, allowed: str) -> None:
            if not holds:
                raise InputError(f"data.{option}={getattr(self, option)}: allowed is {allowed}")

        require(1 <= self.condition <= 1e12, "condition", "1 to 1e12")
        require(self.sigma_min is None or self.sigma_min > 0, "sigma_min", "a positive number")
        require(self.rows in ROW_KINDS, "rows", ", ".join(ROW_KINDS))
        require(self.leverage_ones is None or self.leverage_ones >= 0, "leverage_ones", "0 or more")
        require(0 < self.density <= 1, "density", "0 < density <= 1")
        require(
            self.planted_norm is None or 0 <= self.planted_norm < 1e6, "planted_norm", "0 to 1e6"
        )
        require(0 <= self.noise <= 10, "noise", "0 to 10")
        if self.density < 1 and (self.rows not in SPARSE_ROW_KINDS or self.sigma_min is not None):
            raise InputError(
                f"data.density={self.density}: a sparse A has rows {' or '.join(SPARSE_ROW_KINDS)} "
                "and takes condition, not sigma_min; other rows need density=1"
            )

    def size(self, n: int | None, d: int | None, R: float | None) -> tuple[int, int]:
        """Check the size and what depends on it."""
        for key, value in (("n", n), ("d", d)):
            if value is None or value < 1:
                raise InputError(f"{key}={value}: allowed is a whole number >= 1")
        assert n is not None
        assert d is not None
        check_size(n, d, _radius(R), self)
        return n, d

    def load(self, n: int, d: int, R: float | None, seed: int) -> Instance:
        """Make the instance."""
        return make_synthetic(n, d, _radius(R), seed, self)

    def storage(self, n: int, d: int) -> Storage:
        """Return how A is stored; of a sparse one, with about so many entries."""
        if self.density == 1:
            return super().storage(n, d)
        return Storage("sparse", int(self.density * n * d))


def _radius(R: float | None) -> float:
    if R is None:
        raise InputError("R=null: data=synthetic needs a number, R is |A|_2")
    return R


def make_synthetic(n: int, d: int, R: float, seed: int, options: Synthetic) -> Instance:
    """Return an n x d instance with |A|_2 = R.

    b is the soft-residual model of a planted x, b_i proportional to max(exp(z_i) + z_i, 0), with
    log-normal noise, so that it is a share whatever the noise. A, the planted x and the noise
    have random numbers of their own: changing one does not change the others.

    Raises
    ------
    InputError
        If n < d, or the options ask for something that cannot be.
    """
    check_size(n, d, R, options)
    rng = generator(seed, "matrix", n, d)
    make = _sparse if options.density < 1 else _dense
    A = make(n, d, R, options, rng)
    x = generator(seed, "planted", d).standard_normal(d)
    x *= (R if options.planted_norm is None else options.planted_norm) / np.linalg.norm(x)
    z = A @ x
    # In logarithms: exp(z) of a large planted x may exceed the range of doubles.
    shift = max(0.0, float(z.max()))
    model = np.maximum(np.exp(z - shift) + z * np.exp(-shift), 0.0)
    if not model.any():
        raise InputError(
            f"n={n}, d={d}, seed={seed}: exp(z) + z <= 0 in every row of the planted model; "
            "take another seed or a smaller data.planted_norm"
        )
    b = model * np.exp(options.noise * generator(seed, "noise", n).standard_normal(n))
    return Instance("synthetic", A, b / b.sum(), planted=x)


def check_size(n: int, d: int, R: float, options: Synthetic) -> None:
    """Raise an :class:`InputError` if options do not fit the size; makes nothing."""
    if not n >= d >= 1:
        raise InputError(f"n={n}: A needs at least as many rows as columns, n >= d={d} >= 1")
    gigabytes = 8e-9 * n * d * options.density
    memory = 1e-9 * os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if 2.5 * gigabytes > memory:  # A, and the copies that making it takes
        raise InputError(
            f"n={n}, d={d}: A would take {gigabytes:.3g} GB, and making it 2.5 times that; "
            f"this machine has {memory:.3g} GB"
        )
    ones = options.leverage_ones
    if options.rows == "coherent" and ones is not None and ones > d - (n > d):
        raise InputError(f"data.leverage_ones={ones}: allowed is at most {d - (n > d)} here")
    if options.sigma_min is not None and options.sigma_min > R:
        raise InputError(f"data.sigma_min={options.sigma_min}: allowed is at most R={R}")


def _raw_rows(n: int, d: int, options: Synthetic, rng: np.random.Generator) -> Matrix:
    G = rng.standard_normal((n, d))
    if options.rows == "heavy_tailed":
        G *= rng.standard_t(2, size=n)[:, None]
    elif options.rows == "coherent":
        ones = max(1, d // 4) if options.leverage_ones is None else options.leverage_ones
        # Each of these rows is alone in a column of its own, so nothing else can stand for it.
        G[:, :ones] = 0.0
        places = rng.choice(n, size=ones, replace=False)
        G[places] = 0.0
        G[places, np.arange(ones)] = 1.0
    elif options.rows == "axes":
        G = np.eye(d)[np.arange(n) % d]
    elif options.rows == "duplicates":
        G = rng.standard_normal((2 * d, d))[np.arange(n) % (2 * d)] + APART * G
    return G


def _dense(n: int, d: int, R: float, options: Synthetic, rng: np.random.Generator) -> Matrix:
    sigma_min = R / options.condition if options.sigma_min is None else options.sigma_min
    G = _raw_rows(n, d, options, rng)
    # Q = G (G^T G)^(-1/2) has orthonormal columns and the leverage scores of G; a second round
    # removes what rounding left of a poorly conditioned G. V mixes the columns.
    for _ in range(2):
        values, vectors = np.linalg.eigh(G.T @ G)
        G = G @ ((vectors / np.sqrt(values)) @ vectors.T)
    V = np.linalg.qr(rng.standard_normal((d, d)))[0]
    sigma = np.geomspace(R, sigma_min, d) if d > 1 else np.array([R])
    return np.ascontiguousarray(G @ (sigma[:, None] * V.T))


def _sparse(n: int, d: int, R: float, options: Synthetic, rng: np.random.Generator) -> Any:
    A = sparse.random_array(
        (n, d), density=options.density, format="csr", rng=rng, data_sampler=rng.standard_normal
    )
    if options.rows == "heavy_tailed":
        A = sparse.diags_array(rng.standard_t(2, size=n)) @ A
    if A.nnz == 0:
        raise InputError(f"data.density={options.density}: leaves A of {n} x {d} without entries")
    columns = np.geomspace(1.0, 1.0 / options.condition, d)
    return scaled_to(sparse.csr_array(A @ sparse.diags_array(rng.permutation(columns))), R)
