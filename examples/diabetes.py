"""A data set in one file: scikit-learn's diabetes patients, their progression as shares.

python run.py plugins=[examples/diabetes.py] data=diabetes problem=softmax
"""

from dataclasses import dataclass
from typing import ClassVar

from softres.data.base import PublishedData
from softres.data.instance import Instance


@dataclass(frozen=True)
class Diabetes(PublishedData):
    """Ten measurements of 442 patients, and how their disease went on."""

    name: ClassVar[str] = "diabetes"
    fixed: ClassVar[tuple[int, int]] = (442, 10)
    licence: ClassVar[str] = "BSD-3-Clause"

    def read(self) -> Instance:
        """Read the table that comes with scikit-learn."""
        from sklearn.datasets import load_diabetes

        A, progression = load_diabetes(return_X_y=True)
        return Instance(name=self.name, A=A, b=progression / progression.sum())
