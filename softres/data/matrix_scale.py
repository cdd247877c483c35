"""Scaling A to a given spectral norm."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse

__all__ = ["scaled_to"]


def scaled_to(A: Any, R: float) -> Any:
    """Return A times a number, so that |A|_2 = R.

    Parameters
    ----------
    A
        n x d, dense or sparse.
    R
        The norm asked for.
    """
    gram = A.T @ A
    gram = gram.toarray() if sparse.issparse(gram) else gram
    return A * (R / float(np.sqrt(np.linalg.eigvalsh(gram)[-1])))
