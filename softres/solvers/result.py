"""What a solve returns: how it ended, where, and one row for every step."""

from __future__ import annotations

import html
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["Result", "Row", "Status"]

#: One row of a trace: named figures of one iterate.
Row = dict[str, float]


class Status(Enum):
    """How a solve ended, in words.

    ``CONVERGED`` is said of a local minimiser to the accuracy asked for: both the gradient and the
    curvature were looked at. ``BOUNDARY`` is where the loss falls towards alpha = <u, 1> = beta,
    beyond which it counts as undefined.

    Examples
    --------
    >>> Status.CONVERGED.success, Status.STALLED.success
    (True, False)
    >>> Status.STEP_LIMIT.value
    'step limit'
    """

    CONVERGED = "converged"
    STEP_LIMIT = "step limit"
    TIME_LIMIT = "time limit"
    BOUNDARY = "boundary (alpha = beta: no minimiser inside)"
    STALLED = "stalled (no further progress)"
    DIVERGED = "diverged (left alpha >= beta, or not finite)"
    LINEAR_SOLVE_FAILED = "linear solve failed"

    @property
    def success(self) -> bool:
        """Whether the goal was reached."""
        return self is Status.CONVERGED


@dataclass(frozen=True)
class Result:
    """The end of a solve.

    Attributes
    ----------
    x
        The last iterate, shape (d,), of A's kind.
    status
        How the solve ended.
    steps
        Steps taken.
    rows
        One row a step, the start included as step 0; see :func:`softres.solve` for the columns.
    seconds
        Seconds by clock: ``solve``, ``evaluate``, ``log``, and their ``total``.
    warnings
        What the solver had to say, one line each.

    Examples
    --------
    >>> import numpy as np, softres
    >>> problem = softres.SoftmaxRegression(np.eye(3, 2), [0.6, 0.3, 0.1], w=0.1)
    >>> result = softres.solve(problem, solver="exact_newton")
    >>> result.status.value, result.x.shape, len(result.trace) == result.steps + 1
    ('converged', (2,), True)
    """

    x: Any
    status: Status
    steps: int
    rows: list[Row]
    seconds: dict[str, float]
    warnings: tuple[str, ...] = ()

    @property
    def trace(self) -> pd.DataFrame:
        """The rows as a pandas data frame, one row a step."""
        import pandas as pd

        return pd.DataFrame(self.rows)

    def plot(self, x: str = "step", y: str | None = None) -> Axes:
        """Draw a column of the trace over another, such as ``"passes"``; return the axes.

        Parameters
        ----------
        x, y
            Columns; y is by default the error where the solve had a reference, else the gradient's
            norm.
        """
        import seaborn

        trace = self.trace
        if y is None:
            y = "relative_error_H" if "relative_error_H" in trace else "gradient_norm"
        axes: Axes = seaborn.lineplot(trace, x=x, y=y, marker="o")
        scale = "log" if (trace[y] > 0).any() else "linear"  # a start may be the minimiser
        axes.set(yscale=scale, title=f"{self.status.value} after {self.steps} steps")
        return axes

    def __repr__(self) -> str:
        took = f"{self.steps} {'step' if self.steps == 1 else 'steps'}"
        return f"<Result: {self.status.value} after {took}, {self.seconds['solve']:.3g} s>"

    def _repr_html_(self) -> str:
        last = self.trace.tail(5).to_html(index=False, float_format="{:.3g}".format)
        return f"<p>{html.escape(repr(self)[1:-1])}; its last steps:</p>{last}"
