"""The functions of the array library that an array belongs to."""

from __future__ import annotations

from typing import Any

import array_api_compat
import array_api_compat.numpy
import numpy as np

__all__ = ["array_namespace", "copied", "fits_single", "for_torch", "is_torch", "take"]

#: Sizes whose squares, and sums of many of these, stay well within the range of float32.
SINGLE_RANGE = (1e-14, 1e14)


def array_namespace(array: Any) -> Any:
    """Return the array's library by the names of the Python array API standard.

    A shortcut for NumPy to :func:`array_api_compat.array_namespace`, whose search takes longer
    than work on a short vector.
    """
    if type(array) is np.ndarray:
        return array_api_compat.numpy
    return array_api_compat.array_namespace(array)


def is_torch(array: Any) -> bool:
    """Whether an array is a torch tensor; asks NumPy's first, for the same reason."""
    return type(array) is not np.ndarray and bool(array_api_compat.is_torch_array(array))


def copied(array: Any) -> Any:
    """Return a copy of an array, on its own device."""
    return array_namespace(array).asarray(array, copy=True)


def take(array: Any, rows: np.ndarray[Any, np.dtype[np.int64]]) -> Any:
    """Return an array's entries at row numbers that are on the host."""
    if is_torch(array):
        import torch

        return array[torch.as_tensor(rows, device=array.device)]
    return array[rows]


def fits_single(*sizes: Any) -> bool:
    """Whether numbers of all these sizes, arrays on the host, may be multiplied in float32.

    Zeros may.
    """
    low, high = SINGLE_RANGE
    return all(bool(((part == 0) | ((low < part) & (part < high))).all()) for part in sizes)


def for_torch(values: Any) -> Any:
    """Return values that torch can refer to: a copy of an array that is backwards or read-only."""
    if not isinstance(values, np.ndarray):
        return values
    usable = values.flags.writeable and all(stride >= 0 for stride in values.strides)
    return values if usable else values.copy()
