"""The minimiser x* of an instance from the cache, where it is looked at before it is believed."""

from __future__ import annotations

from dataclasses import asdict, fields
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from softres.certification.minimiser import Minimiser, find_minimiser
from softres.common.cache import Arrays, array_path, cached_arrays, set_aside
from softres.common.errors import InputError
from softres.problems import Problem
from softres.problems.reference import GRADIENT_UNITS, Certificate
from softres.solvers.optimality import units_of_rounding

__all__ = ["certified_minimiser"]

Vector = npt.NDArray[np.float64]

#: Part of the cache's key: raise it when the way x* is found changes.
VERSION = 9
#: How many times as large a gradient may be as it was on the machine that found x*: it is rounding.
LARGER = 10.0


def certified_minimiser(
    problem: Problem, x0: Vector, key: str, cache: Path | None = None
) -> Minimiser:
    """Return x* near which Newton's method from x0 ends, with its certificate.

    What the cache has is for this instance, of its shape, and has the gradient that its
    certificate says: two passes over A.

    Parameters
    ----------
    problem
        On the host in float64.
    x0
        The start, shape (d,).
    key
        Hash of the instance: A, b, w, the problem and x0.
    cache
        Folder of the cache; default the user's.

    Raises
    ------
    InputError
        If the cached file is damaged or another instance's; it is then set aside and found anew by
        the next call.
    """
    path, found = array_path("reference", key, VERSION, cache=cache), []

    def find() -> dict[str, npt.NDArray[Any]]:
        found.append(find_minimiser(problem, x0))
        return _pack(found[0], key)

    stored = cached_arrays(path, find)
    if found:
        return found[0]
    x, certificate = _unpack(stored, problem, key, path)
    if not _is_as_certified(problem, x, certificate):
        _refuse(path, "its x* is not this instance's minimiser")
    return x, certificate


def _pack(minimiser: Minimiser, key: str) -> dict[str, npt.NDArray[Any]]:
    x, certificate = minimiser
    values = {name: np.asarray(value) for name, value in asdict(certificate).items()}
    return {"instance": np.asarray(key), "x": x} | values


def _unpack(stored: Arrays, problem: Problem, key: str, path: Path) -> Minimiser:
    """Return what a file holds, if that is a minimiser of this instance by its form."""
    kinds = {field.name: str(field.type) for field in fields(Certificate)}
    if not {"instance", "x", *kinds} <= stored.keys():
        _refuse(path, "it is no reference")
    if stored["instance"].shape != () or str(stored["instance"]) != key:
        _refuse(path, "it is of another instance")
    x = stored["x"]
    if x.shape != (problem.d,) or x.dtype != np.float64:
        _refuse(path, f"its x* has shape {x.shape} in {x.dtype}, not ({problem.d},) in float64")
    allowed = {"float": "f", "int": "iu", "bool": "b"}
    for name, kind in kinds.items():
        if stored[name].shape != () or stored[name].dtype.kind not in allowed[kind]:
            _refuse(path, f"its {name} is no {kind}")
    return x, Certificate(**{name: stored[name].item() for name in kinds})


def _is_as_certified(problem: Problem, x: Vector, certificate: Certificate) -> bool:
    """Whether the gradient at x is as small as it was found to be."""
    if not np.isfinite(x).all():
        return not certificate.certified and not isfinite(certificate.relative_gradient)
    with np.errstate(all="ignore"):
        units = units_of_rounding(problem.at(x))
    was = certificate.gradient_units
    return not isfinite(was) or units <= LARGER * max(was, GRADIENT_UNITS)


def _refuse(path: Path, reason: str) -> None:
    aside = set_aside(path)
    raise InputError(f"{path}: {reason}; it was set aside as {aside.name}: run again")
