"""Choosing the matrix class for a user's A."""

from __future__ import annotations

from typing import Any

import numpy as np
from array_api_compat import is_torch_array
from scipy import sparse

from softres.common.checks import host_values
from softres.common.errors import InputError
from softres.matrices.base import DesignMatrix
from softres.matrices.dense import DenseNumpy, DenseTorch
from softres.matrices.sparse import SparseScipy
from softres.matrices.sparse_torch import SparseTorch, quiet_csr

__all__ = ["as_matrix", "given_array"]


def as_matrix(A: Any) -> DesignMatrix:
    """Return A as a design matrix, without copying it where its layout allows.

    Parameters
    ----------
    A
        A two-dimensional NumPy array, SciPy sparse array or matrix, or torch tensor (strided, COO,
        CSR or CSC) of float64 or float32, a Dask array in row chunks, or a :class:`DesignMatrix`.
        Integers and truth values become float64.

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
    A = host_values("A", A, truth=True)
    if A.ndim != 2 or min(A.shape) < 1:
        raise InputError(f"A must be a matrix with rows and columns, not of shape {tuple(A.shape)}")
    if is_torch_array(A):
        return _torch_matrix(A)
    with np.errstate(over="ignore"):  # a problem asks for finite values
        if sparse.issparse(A):
            return SparseScipy(sparse.csr_array(A, dtype=_float_type(A.dtype)))
        return DenseNumpy(np.ascontiguousarray(A, dtype=_float_type(A.dtype)))


def given_array(matrix: DesignMatrix, name: str, values: Any, *shapes: tuple[int, ...]) -> Any:
    """Return what a caller handed in beside A as an array of A's kind, dtype and device.

    Without a copy where it is one already.

    Parameters
    ----------
    matrix
        A.
    name
        What the array is called, for the message.
    values
        A NumPy array or what becomes one; where A is a tensor, a tensor too.
    shapes
        The shapes that are allowed.

    Raises
    ------
    InputError
        If it is not an array of real numbers of such a shape, or a tensor beside an A on NumPy.
    """
    array = host_values(name, values)
    if sparse.issparse(array) or (is_torch_array(array) and str(array.layout) != "torch.strided"):
        raise InputError(f"{name} is sparse: hand in a dense array")
    if is_torch_array(array):
        if matrix.backend != "torch":
            raise InputError(
                f"{name} is a torch tensor and A is on NumPy: hand in both as NumPy arrays, or "
                "both as tensors"
            )
        array = array.detach()
    if tuple(array.shape) not in shapes:
        allowed = " or ".join(str(shape) for shape in shapes)
        raise InputError(f"{name} must have shape {allowed}, not {tuple(array.shape)}")
    with np.errstate(over="ignore"):  # infinite in A's dtype: the caller asks for finite values
        return matrix.asarray(array)


def _float_type(dtype: Any) -> Any:
    return np.float32 if dtype == np.float32 else np.float64


def _torch_matrix(A: Any) -> DesignMatrix:
    import torch

    layouts = (torch.strided, torch.sparse_coo, torch.sparse_csr, torch.sparse_csc)
    if A.layout not in layouts:
        raise InputError(
            f"A has the layout {A.layout}: allowed are {', '.join(str(x) for x in layouts)}"
        )
    A = A.detach()
    if A.dtype != torch.float32:
        A = A.to(torch.float64)
    if A.layout == torch.strided:
        return DenseTorch(A.contiguous())
    with quiet_csr():
        return SparseTorch(A.to_sparse_csr())
