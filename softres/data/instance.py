"""The data of one instance: the matrix A, the target b, and what is known about them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from softres.common.checks import check_shares
from softres.common.errors import InputError
from softres.matrices import StreamedMatrix
from softres.matrices.kronecker import KroneckerMatrix

__all__ = ["Instance"]

Vector = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Instance:
    """A and b on the host in float64, before a backend and the weights are chosen.

    Attributes
    ----------
    name
        The name it is asked for by, such as ``"synthetic"`` or ``"unembedding_minilm"``.
    A
        n x d; a C-contiguous array, a CSR array, or a matrix of rows on disk. Row i holds the
        features of item i.
    b
        The target, shape (n,): non-negative shares whose sum is at most one.
    w
        Square roots of the regularisation weights, shape (n,), if the data brings them.
    planted
        The x that b was made from, shape (d,), where there is one.
    labels
        A name for each row, where rows stand for something a person can name.
    columns
        A name for each column of A, where they come from a table.
    facts
        Scalars worth logging: source, licence, what was done to the raw data.

    Raises
    ------
    InputError
        If a shape does not match, a value is not finite, or b is not such a target.
    """

    name: str
    A: Any
    b: Vector
    w: Vector | None = None
    planted: Vector | None = None
    labels: Sequence[str] | None = None
    columns: Sequence[str] | None = None
    facts: Mapping[str, str | float | int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        where = f"data={self.name}"
        if len(self.A.shape) != 2:
            raise InputError(f"{where}: A must have two axes, but its shape is {self.A.shape}")
        n, d = self.A.shape
        if d < 1 or n < d:
            raise InputError(f"{where}: A must have n >= d >= 1 rows and columns, not {n} x {d}")
        for name, vector in (("b", self.b), ("w", self.w)):
            if vector is not None and vector.shape != (n,):
                raise InputError(f"{where}: {name} must have shape ({n},), not {vector.shape}")
        stored = self.A.data if sparse.issparse(self.A) else self.A
        if isinstance(self.A, StreamedMatrix):
            stored = None  # it was checked as it was read
        if isinstance(self.A, KroneckerMatrix):
            stored = np.concatenate([self.A.A1.ravel(), self.A.A2.ravel()])
        for name, values in (("A", stored), ("b", self.b), ("w", self.w)):
            if values is not None and not np.isfinite(values).all():
                raise InputError(
                    f"{where}: {name} holds NaN or infinite values; allowed is finite; the first "
                    f"is {self._first_not_finite(name)}"
                )
        # With two factors the shares of each of the first's rows are by themselves.
        rows = self.b.reshape(self.A.blocks) if isinstance(self.A, KroneckerMatrix) else self.b
        check_shares(f"{where}: b", float(self.b.min()), float(rows.sum(axis=-1).max()))

    def _first_not_finite(self, name: str) -> str:
        """Return the first value that is not finite and its place, counted from 0, in words."""
        values = getattr(self, name)
        if sparse.issparse(values):
            at = int(np.flatnonzero(~np.isfinite(values.data))[0])
            row = int(np.searchsorted(values.indptr, at, side="right")) - 1
            place, value = [row, int(values.indices[at])], values.data[at]
        else:
            place = [int(k) for k in np.argwhere(~np.isfinite(values))[0]]
            value = values[tuple(place)]
        column = ""
        if name == "A" and self.columns is not None:
            column = f", in column {self.columns[place[1]]}"
        return f"{value:g} at {name}[{', '.join(map(str, place))}]{column}"

    @property
    def shape(self) -> tuple[int, int]:
        """Rows n and columns d of A."""
        n, d = self.A.shape
        return int(n), int(d)

    @property
    def nnz(self) -> int:
        """Stored entries of A: nnz of a sparse A, n d of a dense one."""
        return int(self.A.nnz if hasattr(self.A, "nnz") else self.A.size)
