"""One-hot matrices from category numbers, and row names made from the same numbers when asked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, overload

import numpy as np
import numpy.typing as npt
from scipy import sparse

__all__ = ["RowLabels", "one_hot"]

Codes = Sequence[npt.NDArray[Any]]


def one_hot(codes: Codes, widths: Sequence[int]) -> Any:
    """Return the one-hot matrix of several categories side by side, as a float64 CSR array.

    Parameters
    ----------
    codes
        For each category the number of every row's value, shape (n,). A number that is negative,
        or not below the category's width, leaves the row without an entry there.
    widths
        How many columns each category has.

    Returns
    -------
    csr_array
        n x sum(widths), entries one; no dense copy of it ever exists.
    """
    offsets = np.cumsum([0, *widths[:-1]])
    present = np.stack([(c >= 0) & (c < width) for c, width in zip(codes, widths, strict=True)], 1)
    columns = np.stack([c.astype(np.int32) for c in codes], 1) + offsets.astype(np.int32)
    indptr = np.concatenate([[0], np.cumsum(present.sum(axis=1))]).astype(np.int32)
    indices = columns[present]  # row by row, and ascending within a row
    shape = (len(present), int(sum(widths)))
    return sparse.csr_array((np.ones(len(indices)), indices, indptr), shape=shape)


class RowLabels(Sequence[str]):
    """Names of rows, put together when one is looked at: millions of strings are never made.

    Parameters
    ----------
    codes
        For each category the number of every row's value, shape (n,); negative: unknown, left out.
    names
        For each category the name of every value.
    """

    def __init__(self, codes: Codes, names: Sequence[Sequence[str]]) -> None:
        self._codes = codes
        self._names = names

    def __len__(self) -> int:
        return len(self._codes[0])

    @overload
    def __getitem__(self, index: int) -> str: ...

    @overload
    def __getitem__(self, index: slice) -> RowLabels: ...

    def __getitem__(self, index: int | slice) -> str | RowLabels:
        if isinstance(index, slice):
            return RowLabels([codes[index] for codes in self._codes], self._names)
        parts = zip(self._names, self._codes, strict=True)
        return " ".join(names[codes[index]] for names, codes in parts if codes[index] >= 0)
