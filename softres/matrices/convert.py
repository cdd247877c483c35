"""Choosing the matrix class for a user's A."""

from __future__ import annotations

from typing import Any

import numpy as np
from array_api_compat import is_torch_array
from scipy import sparse

from softres.errors import InputError
from softres.matrices.base import DesignMatrix
from softres.matrices.dense import DenseNumpy, DenseTorch
from softres.matrices.sparse import SparseScipy, SparseTorch, quiet_csr

__all__ = ["as_matrix"]


def as_matrix(A: Any) -> DesignMatrix:
    """Return A as a design matrix, without copying it where its layout allows.

    Parameters
    ----------
    A
        A two-dimensional NumPy array, SciPy sparse array or matrix, or torch tensor (strided or
        CSR) of float64 or float32, a Dask array in row chunks, or a :class:`DesignMatrix`.
        Integers become float64.

    Raises
    ------
    InputError
        If A is of another kind, or has not two axes.
    """
    if isinstance(A, DesignMatrix):
        return A
    if type(A).__module__.startswith("dask.array"):
        from softres.matrices.dask_matrix import dask_matrix

        return dask_matrix(A)
    if not (sparse.issparse(A) or is_torch_array(A)):
        A = np.asarray(A)
    real = A.dtype.kind in "fiub" if hasattr(A.dtype, "kind") else not A.dtype.is_complex
    if A.ndim != 2 or not real or min(A.shape) < 1:
        raise InputError(
            "A must be a real matrix (NumPy, SciPy sparse or torch) with rows and columns, not of "
            f"shape {tuple(A.shape)} and dtype {A.dtype}"
        )
    if sparse.issparse(A):
        return SparseScipy(sparse.csr_array(A, dtype=_float_type(A.dtype)))
    if is_torch_array(A):
        return _torch_matrix(A)
    return DenseNumpy(np.ascontiguousarray(A, dtype=_float_type(A.dtype)))


def _float_type(dtype: Any) -> Any:
    return np.float32 if dtype == np.float32 else np.float64


def _torch_matrix(A: Any) -> DesignMatrix:
    import torch

    A = A.detach()
    if A.dtype != torch.float32:
        A = A.to(torch.float64)
    if A.layout == torch.strided:
        return DenseTorch(A.contiguous())
    with quiet_csr():
        return SparseTorch(A.to_sparse_csr())
