"""The matrix A behind one small interface: dense or sparse, NumPy, SciPy or torch."""

from softres.matrices.base import DesignMatrix, PassCounter
from softres.matrices.convert import as_matrix
from softres.matrices.dense import DenseNumpy, DenseTorch
from softres.matrices.sparse import SparseScipy, SparseTorch

__all__ = [
    "DenseNumpy",
    "DenseTorch",
    "DesignMatrix",
    "PassCounter",
    "SparseScipy",
    "SparseTorch",
    "as_matrix",
]
