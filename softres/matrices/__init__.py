"""The matrix A behind one small interface: NumPy, SciPy, torch or Dask, or on disk."""

from softres.matrices.base import DesignMatrix, PassCounter
from softres.matrices.convert import as_matrix, given_array
from softres.matrices.dense import DenseNumpy, DenseTorch
from softres.matrices.sparse import SparseScipy
from softres.matrices.sparse_torch import SparseTorch
from softres.matrices.streamed import StreamedMatrix

__all__ = [
    "DenseNumpy",
    "DenseTorch",
    "DesignMatrix",
    "PassCounter",
    "SparseScipy",
    "SparseTorch",
    "StreamedMatrix",
    "as_matrix",
    "given_array",
]
