"""The matrix A behind one small interface: dense or sparse, NumPy, SciPy or torch."""

from softres.matrices.base import DesignMatrix, PassCounter
from softres.matrices.convert import as_matrix

__all__ = ["DesignMatrix", "PassCounter", "as_matrix"]
