"""What a caller hands in: numbers, names and arrays, checked by one rule each.

Every function raises an :class:`~softres.common.errors.InputError` of one line that names the key,
the value, and what is allowed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import fields
from math import inf, isfinite
from numbers import Integral, Real
from types import UnionType
from typing import Any, get_args, get_type_hints

import numpy as np
from array_api_compat import is_torch_array
from scipy import sparse

from softres.common.errors import InputError

__all__ = [
    "SHARES_ROUNDING",
    "check_shares",
    "check_types",
    "choice",
    "host_values",
    "number",
    "shown",
    "whole",
]

#: Excess over 1 of the sum of shares that were computed, or rounded, in single precision.
SHARES_ROUNDING = 1e-4


def shown(value: Any) -> str:
    """Return a value as an error's line shows it: short, and an array by its kind and shape."""
    if isinstance(value, type):
        return f"the class {value.__name__}"
    shape = getattr(value, "shape", None)
    if isinstance(shape, tuple) and shape:
        return f"{type(value).__name__} of shape {tuple(shape)}"
    text = " ".join((value if isinstance(value, str) else repr(value)).split())
    return text if len(text) <= 60 else f"{text[:57]}..."


def whole(key: str, value: Any, least: int = 1, below: float = inf) -> int:
    """Return a whole number >= ``least``; 2.0 and True are none."""
    good = isinstance(value, Integral) and not isinstance(value, bool | np.bool_)
    if not (good and least <= value < below):
        limit = f" and < {below:g}" if below < inf else ""
        raise InputError(f"{key}={shown(value)}: allowed is a whole number >= {least}{limit}")
    return int(value)


def number(
    key: str,
    value: Any,
    allowed: str = "a positive number",
    within: Callable[[float], bool] = lambda value: value > 0,
) -> float:
    """Return a finite number for which ``within`` holds; ``allowed`` says the same in words."""
    if not (_is_finite(value) and within(value)):
        raise InputError(f"{key}={shown(value)}: allowed is {allowed}")
    return float(value)


def choice(key: str, value: Any, allowed: Iterable[str]) -> str:
    """Return one of some names."""
    names = list(allowed)
    if not (isinstance(value, str) and value in names):
        raise InputError(f"{key}={shown(value)}: allowed are {', '.join(names)}")
    return value


def _is_real(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool | np.bool_)


def _is_finite(value: Any) -> bool:
    try:
        return _is_real(value) and isfinite(value)
    except OverflowError:  # a whole number beyond the range of doubles
        return False


_KINDS: dict[type, tuple[str, Callable[[Any], bool]]] = {
    int: ("a whole number", lambda value: isinstance(value, Integral) and _is_real(value)),
    float: ("a finite number", _is_finite),
    str: ("a name", lambda value: isinstance(value, str)),
    bool: ("true or false", lambda value: isinstance(value, bool)),
}


#: Declared types by class: finding them takes longer than a small solve's step.
_TYPES: dict[type, dict[str, Any]] = {}


def check_types(options: Any, where: str) -> None:
    """Check that the fields of a dataclass of options hold what they are declared to hold.

    Whole numbers, finite numbers, names, truth values, and ``None`` where that is declared; fields
    of other types are left alone.

    Parameters
    ----------
    options
        An instance of the dataclass.
    where
        What stands before the field's name in the message, such as ``"solver."``.
    """
    kind = type(options)
    if kind not in _TYPES:
        _TYPES[kind] = get_type_hints(kind)
    declared_types = _TYPES[kind]
    for field in fields(options):
        value, declared = getattr(options, field.name), declared_types[field.name]
        either = get_args(declared) if isinstance(declared, UnionType) else (declared,)
        if value is None and type(None) in either:
            continue
        known = [_KINDS[kind] for kind in either if kind in _KINDS]
        if known and not any(holds(value) for _, holds in known):
            allowed = " or ".join(name for name, _ in known)
            raise InputError(f"{where}{field.name}={shown(value)}: allowed is {allowed}")


def host_values(name: str, values: Any, *, truth: bool = False) -> Any:
    """Return an array of real numbers: a NumPy array, or a SciPy sparse one or tensor as it came.

    Nothing is dropped or guessed: an array with a mask, a data frame with an index, complex
    numbers, objects, strings and dates are refused.

    Parameters
    ----------
    name
        What the array is called, for the message.
    values
        What the caller handed in; nested sequences of numbers become an array.
    truth
        Whether truth values are numbers, 0 and 1.
    """
    _check_labels_and_masks(name, values)
    if sparse.issparse(values):
        return _real_sparse(name, values, truth)
    if isinstance(values, str | bytes | dict | set) or values is None or callable(values):
        raise InputError(f"{name}={shown(values)}: allowed is an array of real numbers")
    if type(values).__module__.startswith("dask.array"):
        return host_values(name, values.compute(), truth=truth)
    array: Any = values
    if not is_torch_array(values):
        try:
            array = np.asarray(values)
        except Exception:  # ragged lists, and whatever an object's own conversion raises
            raise InputError(
                f"{name}={shown(values)}: allowed is an array of real numbers, each row as long "
                "as the others"
            ) from None
    if is_torch_array(array):
        real = not array.dtype.is_complex and (truth or str(array.dtype) != "torch.bool")
        if array.device.type == "meta":
            raise InputError(f"{name} is a meta tensor, which holds no numbers")
        if array.is_quantized:
            raise InputError(f"{name} is a quantised tensor: hand in {name}.dequantize()")
    else:
        real = array.dtype.kind in ("fiub" if truth else "fiu")
    if not real:
        raise InputError(f"{name} has dtype {array.dtype}: allowed are real numbers")
    return array


def _check_labels_and_masks(name: str, values: Any) -> None:
    """Refuse what an array made of it would lose: labels, and that entries are masked."""
    if np.ma.isMaskedArray(values):
        raise InputError(
            f"{name} is a masked array, whose masked entries have no value: fill them, or leave "
            "their rows out"
        )
    if type(values).__module__.partition(".")[0] in ("pandas", "polars", "xarray"):
        raise InputError(
            f"{name} is a {type(values).__name__}, whose labels would be lost: hand in an array, "
            f"{name}.to_numpy()"
        )
    if isinstance(values, list | tuple) and any(np.ma.isMaskedArray(row) for row in values):
        raise InputError(f"{name} has masked arrays in it, whose masked entries have no value")


def _real_sparse(name: str, values: Any, truth: bool) -> Any:
    """Return a SciPy matrix of real numbers as it came."""
    if values.dtype.kind not in ("fiub" if truth else "fiu"):
        raise InputError(f"{name} has dtype {values.dtype}: allowed are real numbers")
    if np.ma.isMaskedArray(getattr(values, "data", None)):
        raise InputError(f"{name} holds a masked array, whose masked entries have no value")
    return values


def check_shares(name: str, least: float, total: float) -> None:
    """Check the target of a normalised problem: b >= 0 and sum(b) <= 1, as in the paper.

    f sums to one. A b of counts, whose sum is larger, would be fitted by nothing.

    Parameters
    ----------
    name
        What the target is called, for the message.
    least, total
        Its least entry and its sum.
    """
    if not least >= 0:
        raise InputError(f"{name} must be non-negative, but its least entry is {least:.3g}")
    if not total <= 1 + SHARES_ROUNDING:
        raise InputError(
            f"{name}: shares sum to at most 1, but these sum to {total:.6g}; divide by that"
        )
