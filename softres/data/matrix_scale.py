"""Scaling A to a given spectral norm."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse

from softres.common.errors import InputError

__all__ = ["scaled_to", "scaling_to"]


def scaled_to(A: Any, R: float) -> Any:
    """Return A times :func:`scaling_to`, so that |A|_2 = R."""
    return A * scaling_to(A, R)


def scaling_to(A: Any, R: float) -> float:
    """Return the number that A is to be multiplied by for |A|_2 = R.

    Parameters
    ----------
    A
        n x d, dense or sparse.
    R
        The norm asked for.

    Raises
    ------
    InputError
        If A is zero.
    """
    gram = A.T @ A
    gram = gram.toarray() if sparse.issparse(gram) else gram
    norm = float(np.sqrt(max(0.0, np.linalg.eigvalsh(gram)[-1])))
    if norm == 0.0:
        raise InputError(f"R={R}: A has no entries but zeros, so it cannot be scaled to |A|_2 = R")
    return R / norm
