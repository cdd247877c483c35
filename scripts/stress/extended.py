"""Two arithmetics beyond doubles with one face: 19 digits at NumPy's speed, and 60 digits."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import mpmath
import numpy as np

__all__ = ["ARITHMETICS", "Arithmetic"]

DIGITS = 60


class Arithmetic(ABC):
    """Numbers, the functions that the links need, and the links.

    Attributes
    ----------
    unit
        Its rounding.
    """

    unit: float

    @abstractmethod
    def array(self, values: Any) -> Any:
        """Return doubles, or numbers of this kind, as an array of this kind."""

    @abstractmethod
    def number(self, value: float) -> Any:
        """Return a number of this kind."""

    @abstractmethod
    def finite(self, values: Any) -> bool:
        """Whether all entries are numbers."""

    @abstractmethod
    def function(self, name: str, values: Any) -> Any:
        """Return exp, log, log1p, sqrt, tanh, cosh, sinh or erfc of values."""

    @contextmanager
    def active(self) -> Iterator[None]:
        """Compute in this arithmetic meanwhile."""
        yield

    def sqrt(self, values: Any) -> Any:
        """Return square roots."""
        return self.function("sqrt", values)

    def log(self, values: Any) -> Any:
        """Return natural logarithms."""
        return self.function("log", values)

    def link(self, name: str, branch: str, z: Any) -> tuple[Any, Any, Any, Any]:
        """Return u, u', u'' and the size of u's terms, each of z's shape."""
        if name == "rescaled":
            name, _, branch = branch.partition("-")
        if name in ("softmax", "exp"):
            u = self.function("exp", z)
            return u, u, u, u
        if name in ("cosh", "sinh"):
            c, s = self.function("cosh", z), self.function("sinh", z)
            u, v = (c, s) if name == "cosh" else (s, c)
            return u, v, u, np.abs(u)
        g, dg, ddg = getattr(self, f"_{branch if name == 'resnet' else 'exp'}")(z)
        return z + g, 1 + dg, ddg, np.abs(z) + np.abs(g)

    def _exp(self, z: Any) -> tuple[Any, Any, Any]:
        e = self.function("exp", z)
        return e, e, e

    def _tanh(self, z: Any) -> tuple[Any, Any, Any]:
        t, c = self.function("tanh", z), self.function("cosh", z)
        return t, 1 / (c * c), -2 * t / (c * c)

    def _softplus(self, z: Any) -> tuple[Any, Any, Any]:
        t = self.function("exp", -np.abs(z))
        over = (z + np.abs(z)) / 2  # max(z, 0)
        slope = np.where(z > 0, 1 / (1 + t), t / (1 + t))
        return over + self.function("log1p", t), slope, t / (1 + t) ** 2

    def _gelu(self, z: Any) -> tuple[Any, Any, Any]:
        two = self.number(2.0)
        root = self.sqrt(two)
        cdf = self.function("erfc", -z / root) / 2
        pdf = self.function("exp", -z * z / 2) / (root * self.sqrt(2 * self._half_pi()))
        return z * cdf, cdf + z * pdf, pdf * (2 - z * z)

    @abstractmethod
    def _half_pi(self) -> Any:
        """Return pi / 2."""


class _Long(Arithmetic):
    """NumPy's long double: 64 bits of mantissa and a wide range on x86."""

    unit = float(np.finfo(np.longdouble).eps)

    def array(self, values: Any) -> Any:
        return np.asarray(values, dtype=np.longdouble)

    def number(self, value: float) -> Any:
        return np.longdouble(value)

    def finite(self, values: Any) -> bool:
        return bool(np.isfinite(values).all())

    def function(self, name: str, values: Any) -> Any:
        if name == "erfc":
            with mpmath.workdps(25):
                return _erfc(values)
        return getattr(np, name)(values)

    def _half_pi(self) -> Any:
        return np.arctan(np.longdouble(1)) * 2


def _long(value: Any) -> Any:
    """Return an mpmath number as a long double: two doubles hold its digits."""
    high = float(value)
    return np.longdouble(high) + np.longdouble(float(value - high))


def _erfc(values: Any) -> Any:
    found = []
    for value in np.asarray(values).ravel():
        high = float(value)
        if not np.isfinite(high):
            found.append(np.longdouble("nan"))
            continue
        found.append(_long(mpmath.erfc(mpmath.mpf(high) + mpmath.mpf(float(value - high)))))
    return np.array(found, dtype=np.longdouble).reshape(np.shape(values))


class _Many(Arithmetic):
    """Arrays of mpmath's numbers."""

    unit = 10.0**-DIGITS

    @contextmanager
    def active(self) -> Iterator[None]:
        with mpmath.workdps(DIGITS):
            yield

    def array(self, values: Any) -> Any:
        values = np.asarray(values)
        if values.dtype == object:
            return values
        found = np.empty(values.shape, dtype=object)
        found.ravel()[:] = [mpmath.mpf(float(value)) for value in values.ravel()]
        return found

    def number(self, value: float) -> Any:
        return mpmath.mpf(value)

    def finite(self, values: Any) -> bool:
        return all(mpmath.isfinite(value) for value in values.flat)

    def function(self, name: str, values: Any) -> Any:
        if name == "log1p":
            return self.function("log", 1 + values)
        function = getattr(mpmath, name)
        return np.frompyfunc(function, 1, 1)(values)

    def _half_pi(self) -> Any:
        return mpmath.pi / 2


#: From the fast one to the precise one.
ARITHMETICS: tuple[Arithmetic, ...] = (_Long(), _Many())
