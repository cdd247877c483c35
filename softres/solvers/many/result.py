"""What a solve of many targets returns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from softres.solvers.result import Row, Status

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["InstancesResult", "ManyResult"]


@dataclass(frozen=True)
class ManyResult:
    """The end of a solve of m targets.

    Attributes
    ----------
    X
        The last iterates as columns, shape (d, m), of A's kind.
    statuses
        How each target ended.
    target_rows
        One row a target; see :attr:`targets`.
    iteration_rows
        One row for each iteration of each block; see :attr:`trace`.
    seconds
        Seconds of the whole solve.

    Examples
    --------
    >>> import numpy as np, softres
    >>> A, B = np.eye(4, 2), np.eye(4)[:, :3] / 2 + 0.125
    >>> result = softres.solve(softres.ManyTargets(A, B, w=0.1, problem="softmax"))
    >>> result.X.shape, len(result.targets), result.success
    ((2, 3), 3, True)
    """

    X: Any
    statuses: tuple[Status, ...]
    target_rows: list[dict[str, Any]]
    iteration_rows: list[Row]
    seconds: float

    @property
    def success(self) -> bool:
        """Whether every target reached its goal."""
        return all(status.success for status in self.statuses)

    @property
    def targets(self) -> pd.DataFrame:
        """A data frame with a row a target.

        ``target`` (its column of B), ``status`` in words, ``steps``, ``passes`` over A for its
        gradients and line searches (those for factors are in the matrix's counter),
        ``relative_gradient`` (the last gradient's norm over the first's), ``estimate`` of the
        relative error, ``seconds`` (its share of the time of the iterations that it took part
        in), and ``alone``: whether it was finished by itself.
        """
        import pandas as pd

        return pd.DataFrame(self.target_rows)

    @property
    def trace(self) -> pd.DataFrame:
        """A data frame with a row an iteration of a block.

        ``block``, ``iteration``, ``active`` targets at its start, factors ``renewed`` in it,
        ``left`` at its end, the active targets' ``median_estimate`` and ``max_estimate`` of
        the relative error, and the block's ``seconds`` so far.
        """
        import pandas as pd

        return pd.DataFrame(self.iteration_rows)


@dataclass(frozen=True)
class InstancesResult:
    """The end of a solve of k small problems.

    Attributes
    ----------
    X
        The last iterates as rows, shape (k, d), of A's kind.
    statuses
        How each ended.
    steps
        Steps of each, shape (k,).
    alone
        Whether each was solved by itself, from its start, shape (k,).
    seconds
        Seconds of the whole solve.

    Examples
    --------
    >>> import numpy as np, softres
    >>> A, B = np.random.default_rng(0).standard_normal((5, 9, 2)), np.full((5, 9), 1 / 9)
    >>> result = softres.solve(softres.Instances(A, B, w=0.1))
    >>> result.X.shape, result.success
    ((5, 2), True)
    """

    X: Any
    statuses: tuple[Status, ...]
    steps: npt.NDArray[np.int64]
    alone: npt.NDArray[np.bool_]
    seconds: float

    @property
    def success(self) -> bool:
        """Whether every one reached its goal."""
        return all(status.success for status in self.statuses)

    @property
    def instances(self) -> pd.DataFrame:
        """A data frame with a row for each: ``status`` in words, ``steps`` and ``alone``."""
        import pandas as pd

        words = [status.value for status in self.statuses]
        return pd.DataFrame({"status": words, "steps": self.steps, "alone": self.alone})
