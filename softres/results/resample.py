"""Curves of several runs on a common grid, and the band that they span."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["HIGH", "LOW", "bands_of_curves", "bands_of_points", "groups", "quantiles"]

#: Ends of the band: quantiles of the runs.
LOW, HIGH = 0.2, 0.8
_POINTS = 240
Array = npt.NDArray[np.float64]


def quantiles(values: npt.ArrayLike, *, log: bool) -> Array:
    """Return low end, median and high end over the first axis.

    Parameters
    ----------
    values
        Shape (runs,) or (runs, k).
    log
        Whether to interpolate between neighbours in the logarithm; takes values above 0.

    Returns
    -------
    Shape (3,) or (3, k).
    """
    sample = np.asarray(values, dtype=float)
    if log:
        return np.asarray(10.0 ** np.quantile(np.log10(sample), [LOW, 0.5, HIGH], axis=0))
    return np.asarray(np.quantile(sample, [LOW, 0.5, HIGH], axis=0))


def bands_of_curves(
    traces: pd.DataFrame, keys: Sequence[str], x: str, y: str, *, log_x: bool, log_y: bool
) -> pd.DataFrame:
    """Return median and band over runs, on a grid that the runs of a group share.

    Between its rows a run is interpolated, in the logarithm of y where `log_y`; after its last row
    it keeps its last value, for a median must not jump where a run ends. The grid of a group ends
    where its longest run ends.

    Parameters
    ----------
    traces
        One row a step, with a column ``run``.
    keys
        Columns whose equal values make a group; a missing value is a value.
    x, y
        Columns of the curve; rows that are not finite, or not above 0 where y is logarithmic, are
        left out.
    log_x, log_y
        Whether an axis is logarithmic.

    Returns
    -------
    Columns: the keys, x, ``median``, ``low``, ``high``, and ``runs``, their number.
    """
    import pandas as pd

    use = np.isfinite(traces[x].to_numpy(float)) & np.isfinite(traces[y].to_numpy(float))
    if log_y:
        use &= traces[y].to_numpy(float) > 0
    parts = []
    for values, group in groups(traces[use], keys):
        curves = [
            (run[x].to_numpy(float), run[y].to_numpy(float))
            for _, run in group.groupby("run", sort=False)
        ]
        grid = _grid([curve[0] for curve in curves], log=log_x, whole=x == "step")
        sampled = np.array([_at(grid, *curve, log_x=log_x, log_y=log_y) for curve in curves])
        low, median, high = quantiles(sampled, log=log_y)
        part = pd.DataFrame({x: grid, "median": median, "low": low, "high": high})
        part.insert(0, "runs", len(curves))
        for key, item in zip(reversed(keys), reversed(values), strict=True):
            part.insert(0, key, item)
        parts.append(part)
    columns = [*keys, "runs", x, "median", "low", "high"]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)


def bands_of_points(
    table: pd.DataFrame, keys: Sequence[str], x: str, y: str, *, log_y: bool
) -> pd.DataFrame:
    """Return median and band of one figure a run, at every x there is; columns as for curves."""
    import pandas as pd

    frame = table[table[y].notna() & table[x].notna()]
    if log_y:
        frame = frame[frame[y] > 0]
    names = list(dict.fromkeys([*keys, x]))
    rows = []
    for values, group in groups(frame, names):
        low, median, high = quantiles(group[y], log=log_y)
        row = dict(zip(names, values, strict=True))
        rows.append({**row, "runs": len(group), "median": median, "low": low, "high": high})
    return pd.DataFrame(rows, columns=[*names, "runs", "median", "low", "high"])


def groups(frame: pd.DataFrame, keys: Sequence[str]) -> list[tuple[tuple[Any, ...], pd.DataFrame]]:
    """Return the rows of equal keys, with these, in their order; without keys all rows are one.

    A missing value is a value.
    """
    if not keys:
        return [((), frame)] if len(frame) else []
    return list(frame.groupby(list(keys), dropna=False, sort=True))


def _grid(xs: Sequence[Array], *, log: bool, whole: bool) -> Array:
    """Return the x of a group: every step up to a few hundred, otherwise evenly spread."""
    start, end = min(float(x.min()) for x in xs), max(float(x.max()) for x in xs)
    if whole and end - start <= _POINTS:
        return np.arange(start, end + 1)
    if not log or end <= 0:
        grid = np.linspace(start, end, _POINTS)
    else:
        first = min(float(x[x > 0].min()) for x in xs if (x > 0).any())
        grid = np.geomspace(first, end, _POINTS)
    return np.unique(np.round(grid)) if whole else grid


def _at(grid: Array, x: Array, y: Array, *, log_x: bool, log_y: bool) -> Array:
    """Return a curve at the grid; constant before its first and after its last point."""
    if log_x:
        keep = x > 0
        keep[-1] = True
        x, y = np.log(np.maximum(x[keep], 1e-300)), y[keep]
        grid = np.log(np.maximum(grid, 1e-300))
    values = np.interp(grid, x, np.log10(y) if log_y else y)
    return np.asarray(10.0**values if log_y else values)
