"""The functions of the array library that an array belongs to."""

from __future__ import annotations

from math import inf, isfinite, sqrt
from typing import Any

import array_api_compat
import array_api_compat.numpy
import numpy as np

__all__ = [
    "array_namespace",
    "beyond",
    "copied",
    "dual_norm",
    "dual_norm_from",
    "fits_single",
    "for_torch",
    "is_torch",
    "norm",
    "norm_from",
    "relative_norm",
    "stays",
    "take",
]

#: Sizes whose squares, and sums of many of these, stay well within the range of float32.
SINGLE_RANGE = (1e-14, 1e14)
#: Sums of squares, in float64 and float32, in which no part that counts has left the range.
SQUARES, SQUARES_SINGLE = (1e-280, 1e300), (1e-26, 1e36)


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


def stays(array: Any) -> bool:
    """Whether an array is on a device, and its numbers make the host wait."""
    kind = type(array)
    if kind is np.ndarray or kind is float or kind is np.float64:
        return False
    if isinstance(array, float | np.ndarray | np.generic | int):
        return False
    return is_torch(array) and array.device.type != "cpu"


def copied(array: Any) -> Any:
    """Return a copy of an array, on its own device."""
    return array_namespace(array).asarray(array, copy=True)


def norm(vector: Any) -> float:
    """Return the Euclidean norm of a vector of any size of entries.

    Squares of entries below 1e-154 vanish and those above 1e154 overflow: there the vector is
    divided by its largest entry first.
    """
    with np.errstate(all="ignore"):
        return norm_from(float(vector @ vector), None, vector)


def norm_from(square: float, largest: float | None, vector: Any) -> float:
    """Return a vector's norm from its square and its largest entry, ``None`` where not known."""
    low, high = SQUARES_SINGLE if vector.dtype.itemsize <= 4 else SQUARES
    if low < square < high:
        return sqrt(square)
    if largest is None:
        largest = float(abs(vector).max()) if vector.shape[0] else 0.0
    if largest == 0.0 or not isfinite(largest):
        return largest
    scaled = vector / largest
    return largest * sqrt(float(scaled @ scaled))


def dual_norm(vector: Any, solved: Any) -> float:
    """Return sqrt(y^T H^-1 y) from y and H^-1 y, both of any size; 0 where H is not definite.

    A product that underflows would make an error of none.
    """
    with np.errstate(all="ignore"):
        return dual_norm_from(float(vector @ solved), None, vector, solved)


def dual_norm_from(square: float, largest: float | None, vector: Any, solved: Any) -> float:
    """Return sqrt(y^T H^-1 y) from its square and y's largest entry, ``None`` where not known."""
    low, high = SQUARES_SINGLE if vector.dtype.itemsize <= 4 else SQUARES
    if low < square < high:
        return sqrt(square)
    if largest is None:
        largest = float(abs(vector).max()) if vector.shape[0] else 0.0
    if largest == 0.0 or not isfinite(largest):
        return largest
    return sqrt(largest) * sqrt(max(0.0, float((vector / largest) @ solved)))


def beyond(norms: Any) -> Any:
    """Say of each norm, an array of any backend, whether squares were lost on the way to it."""
    low, high = SQUARES_SINGLE if norms.dtype.itemsize <= 4 else SQUARES
    return ~((norms > sqrt(low)) & (norms < sqrt(high)))


def relative_norm(size: float, base: float) -> float:
    """Return a norm over another; 0 where the first is 0, and infinite where only the other is."""
    if base > 0:
        return size / base
    return 0.0 if size == 0 else inf


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
