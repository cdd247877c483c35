"""Which panels a figure has, how they stand, and what each is called."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from softres.results.figures import labels
from softres.results.figures.encoding import Encoding, levels_of

if TYPE_CHECKING:
    import pandas as pd
    import seaborn as sns
    from matplotlib.axes import Axes

__all__ = ["Panels", "arrange", "is_lowest"]

#: Inches: from which width three panels stand side by side, and the narrowest panel.
_WIDE, _NARROWEST = 4.5, 1.35
_FOLDED = "panel"


@dataclass(frozen=True)
class Panels:
    """The panels of a figure.

    Attributes
    ----------
    frame
        The data.
    col, row
        Columns of the data whose levels are columns and rows of panels, as seaborn takes them.
    cols, rows
        Their levels, in order.
    across, down
        How many panels stand side by side, and in how many rows.
    folded
        Where the columns and rows of the encoding do not fit the width, they are folded into one
        sequence of panels: for each its level of the column and of the row.
    """

    frame: pd.DataFrame
    col: str | None
    row: str | None
    cols: list[Any]
    rows: list[Any]
    across: int
    down: int
    folded: dict[str, tuple[Any, Any]] = field(default_factory=dict)

    def levels(self, grid: sns.FacetGrid, row: int, col: int) -> tuple[Any, Any]:
        """Return the levels of the encoding's column and row in a panel."""
        name = grid.col_names[col] if grid.col_names else None
        if self.folded:
            return self.folded[str(name)]
        return name, grid.row_names[row] if grid.row_names else None

    def title(self, encoding: Encoding, col: Any, row: Any, *, own_axes: bool) -> str:
        """Return the title of a panel; what is on its axes is not said again."""
        parts = []
        if encoding.col is not None and not own_axes:
            parts.append(labels.assignment(encoding.col, col))
        if encoding.row is not None:
            parts.append(labels.assignment(encoding.row, row))
        return ", ".join(parts)


def arrange(
    frame: pd.DataFrame, encoding: Encoding, columns: Sequence[str], width: float
) -> Panels:
    """Return the panels of a figure.

    Parameters
    ----------
    frame
        The data, without missing values in what is shown.
    encoding
        What is shown where.
    columns
        Levels of ``encoding.col`` in order where they are what is drawn; none where they are
        values of a key.
    width
        Of the figure, inches.
    """
    cols = [name for name in columns if (frame[encoding.col] == name).any()]
    cols = cols or levels_of(frame, encoding.col)
    rows = levels_of(frame, encoding.row)
    if rows and cols and width / len(cols) < _NARROWEST:
        keys = list(zip(frame[encoding.col], frame[encoding.row], strict=True))
        pairs: list[tuple[Any, Any]] = [(col, row) for row in rows for col in cols]
        folded = {f"{place}": pair for place, pair in enumerate(pairs) if pair in set(keys)}
        names = {pair: name for name, pair in folded.items()}
        frame = frame.assign(**{_FOLDED: [names[pair] for pair in keys]})
        across = _across(len(folded), width, own_axes=bool(columns))
        down = -(-len(folded) // across)
        return Panels(frame, _FOLDED, None, list(folded), [], across, down, folded)
    across = _across(len(cols) or 1, width, own_axes=bool(columns))
    across = (len(cols) or 1) if rows else across
    down = len(rows) or -(-(len(cols) or 1) // across)
    return Panels(frame, encoding.col, encoding.row, cols, rows, across, down)


def is_lowest(grid: sns.FacetGrid, axes: Axes, across: int) -> bool:
    """Whether no panel stands below: the last row of a wrapped grid may be short."""
    spec = axes.get_subplotspec()
    if spec is None or spec.is_last_row():
        return True
    flat = list(grid.axes.flat)
    return grid.axes.ndim == 1 and flat.index(axes) + across >= len(flat)


def _across(panels: int, width: float, *, own_axes: bool) -> int:
    """Return how many panels stand side by side."""
    most = 3 if width > _WIDE else 1 if own_axes else 2
    return min(2, most) if panels == 4 else min(panels, most)
