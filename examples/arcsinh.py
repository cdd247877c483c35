"""A problem in one file: regression with f = arcsinh(A x).

python run.py plugins=[examples/arcsinh.py] problem=arcsinh
"""

from typing import Any

from softres.common.arrays import array_namespace
from softres.problems import Problem


class Arcsinh:
    """u = arcsinh(z)."""

    name = "arcsinh"

    def evaluate(self, z: Any) -> tuple[Any, Any, Any]:
        """Return u, u' = (1 + z^2)^-1/2 and u'' = -z (1 + z^2)^-3/2."""
        slope = (1.0 + z * z) ** -0.5
        return array_namespace(z).asinh(z), slope, -z * slope**3


class ArcsinhRegression(Problem):
    """f = arcsinh(A x)."""

    name = "arcsinh"
    normalised = False

    def __init__(self, A: Any, b: Any, w: Any = None) -> None:
        super().__init__(A, b, w, link=Arcsinh())

    @staticmethod
    def model(z: Any) -> Any:
        """Return u of a torch tensor, for tests to differentiate."""
        return z.asinh()
