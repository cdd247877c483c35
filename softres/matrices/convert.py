"""Choosing the matrix class for a user's A."""

from __future__ import annotations

from typing import Any

import numpy as np
from array_api_compat import is_torch_array
from scipy import sparse

from softres.errors import InputError
from softres.matrices.base import DesignMatrix
from softres.matrices.dense import DenseNumpy, DenseTorch
from softres.matrices.sparse import SparseScipy, SparseTorch

__all__ = ["as_matrix"]


def as_matrix(A: Any) -> DesignMatrix:
    """Return A as a design matrix, without copying it where its layout allows.

    Parameters
    ----------
    A
        A two-dimensional NumPy array, SciPy sparse array or matrix, or torch tensor (strided or
        CSR) of float64 or float32, or a :class:`DesignMatrix`. Integers become float64.

    Raises
    ------
    InputError
        If A is of another kind, or has not two axes.
    """
    if isinstance(A, DesignMatrix):
        return A
    if sparse.issparse(A):
        return SparseScipy(sparse.csr_array(A, dtype=_float_type(A.dtype)))
    if is_torch_array(A):
        return _torch_matrix(A)
    array = np.asarray(A)
    if array.ndim != 2 or array.dtype.kind not in "fiub":
        raise InputError(
            f"A must be a real matrix (NumPy, SciPy sparse or torch), not {type(A).__name__} "
            f"with {array.ndim} axes and dtype {array.dtype}"
        )
    return DenseNumpy(np.ascontiguousarray(array, dtype=_float_type(array.dtype)))


def _float_type(dtype: Any) -> Any:
    return np.float32 if dtype == np.float32 else np.float64


def _torch_matrix(A: Any) -> DesignMatrix:
    import torch

    if A.ndim != 2:
        raise InputError(f"A must have two axes, but its shape is {tuple(A.shape)}")
    if not A.dtype.is_floating_point:
        A = A.to(torch.float64)
    if A.layout == torch.strided:
        return DenseTorch(A.contiguous())
    return SparseTorch(A.to_sparse_csr())
