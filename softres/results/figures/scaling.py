"""Steps, seconds a step and seconds in all against a swept number, with the fitted exponent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from softres.common.errors import InputError
from softres.results.figures import labels
from softres.results.figures.captions import caption, counted, note_of, runs_a_line
from softres.results.figures.drawing import Drawing, LineChart, draw
from softres.results.figures.encoding import AUTO, choose
from softres.results.figures.legend import Entry
from softres.results.figures.style import PLAIN, Look, size_of
from softres.results.figures.ticks import ticks_at
from softres.results.resample import bands_of_points, groups

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from softres.results.runs import Runs

__all__ = ["QUANTITIES", "draw_scaling", "fitted_exponents", "scaling_keys"]

#: What is drawn, and whether it is a time.
QUANTITIES = {"steps": False, "seconds_per_step": True, "solve_seconds": True}
_PANEL = "quantity"
_ROWS = 4


def scaling_keys(runs: Runs) -> list[str]:
    """Return the swept keys that are positive numbers."""
    return [
        key
        for key in runs.varied
        if pd.api.types.is_numeric_dtype(runs.table[key])
        and runs.table[key].dtype != bool
        and float(runs.table[key].min()) > 0
    ]


def fitted_exponents(points: pd.DataFrame, keys: list[str], x: str) -> pd.DataFrame:
    """Return the exponent p of the fit y = c x^p for each group, with its 95 % interval.

    Least squares in the logarithms, over all runs of a group, with Student's t for the interval.
    Groups of fewer than three runs, or with one x only, have none.

    Parameters
    ----------
    points
        One row a run, its figure in the column ``value``.
    keys
        Columns that make a group.
    x
        The swept key.

    Returns
    -------
    Columns: the keys, ``exponent``, ``exponent_low``, ``exponent_high``, ``runs``.
    """
    from scipy import stats

    rows = []
    for level, group in groups(points, keys):
        if len(group) < 3 or group[x].nunique() < 2:
            continue
        fit = stats.linregress(np.log(group[x].to_numpy(float)), np.log(group["value"]))
        # Of points that all lie on one line the error is not 0 but 0 / 0.
        error = float(np.nan_to_num(fit.stderr))
        half = float(stats.t.ppf(0.975, len(group) - 2)) * error
        ends = {"exponent_low": fit.slope - half, "exponent_high": fit.slope + half}
        names = dict(zip(keys, level, strict=True))
        rows.append({**names, "exponent": fit.slope, **ends, "runs": len(group)})
    columns = [*keys, "exponent", "exponent_low", "exponent_high", "runs"]
    return pd.DataFrame(rows, columns=columns)


def draw_scaling(
    runs: Runs,
    key: str,
    asked: Mapping[str, str | None] | None = None,
    *,
    width: str = "double",
    venue: str | None = None,
) -> Drawing:
    """Draw steps, seconds a step and seconds in all against a swept number, both logarithmic.

    Raises
    ------
    InputError
        If no run of the sweep solved anything.
    """
    # The quantities take the columns of panels; a further key takes the rows.
    encoding = choose(runs, (key,), {**(asked or {}), "col": None, "row": AUTO})
    encoding = replace(encoding, col=_PANEL)
    keys = [name for name in encoding.keys if name != _PANEL]
    points = _points(runs, key, keys)
    solved = points[points["solved"]]
    if not len(solved):
        raise InputError(f"no run over {key} reached its goal")
    bands = bands_of_points(solved, [_PANEL, *keys], key, "value", log_y=True)
    unsolved = points.merge(bands, how="left", on=[_PANEL, *keys, key])
    unsolved = unsolved[unsolved["median"].isna()].drop_duplicates([_PANEL, *keys, key])
    bands = pd.concat([bands, unsolved[[_PANEL, *keys, key]].assign(runs=0)], ignore_index=True)
    exponents = fitted_exponents(solved, [_PANEL, *keys], key)
    missed = points[~points["solved"]]

    def finish(axes: Axes, part: pd.DataFrame, colours: Look) -> None:
        panel = part[[_PANEL, *([encoding.row] if encoding.row else [])]].iloc[0]
        _draw_missed(axes, _of_panel(missed, panel), key, encoding.hue, colours)
        _draw_exponents(axes, _of_panel(exponents, panel), encoding.hue, colours)
        ticks_at(axes, bands[key])

    panels = [_PANEL, *([encoding.row] if encoding.row else [])]
    most = int(exponents.groupby(panels, dropna=False).size().max()) if len(exponents) else 0
    each = runs_a_line(bands["runs"][bands["runs"] > 0]).replace("line", "point")
    cross = Entry("missed the goal", "0.3", marker="x", line=False)
    chart = LineChart(
        key,
        "median",
        dict.fromkeys(QUANTITIES, labels.axis(key)),
        {name: labels.axis(name) for name in QUANTITIES},
        log_x=True,
        log_y=True,
        mark="all",
        share_x=False,
        share_y=False,
        note=note_of(runs, encoding, each),
        extra=(cross,) if len(missed) else (),
        finish=finish,
        below=0.2 + 0.13 * most,
        columns=tuple(QUANTITIES),
    )
    grid = draw(bands, chart, encoding, size_of(width, venue))
    sentences = [
        f"Steps, seconds a step and seconds in all against {labels.axis(key)}, of the runs that "
        f"reached their goal. Line: median; band: 20–80 % of the runs of a point ({each}). Below "
        "each panel the exponent $p$ of the fit $y = c x^p$ over the runs, with its 95 % interval.",
    ]
    if without := int(runs.table[key].isna().sum()):
        sentences.append(f"{counted(without)} without {labels.symbol(key)} are not drawn.")
    if len(missed):
        sentences.append("A cross is a run that missed its goal; it is not in the fit.")
    left_out = len(runs) - len(runs.timed)
    text = caption(runs, sentences, encoding, times=True, left_out=left_out)
    together = bands.merge(exponents.drop(columns="runs"), on=[_PANEL, *keys], how="left")
    return Drawing(f"scaling_{key}", grid, text, together, size_of(width, venue))


def _points(runs: Runs, key: str, keys: list[str]) -> pd.DataFrame:
    """Return one row a run and quantity; times only of runs whose times can be compared."""
    parts = []
    for name, is_time in QUANTITIES.items():
        shown = runs.timed if is_time else runs
        if name in shown.table:
            part = shown.table[list(dict.fromkeys([*keys, key]))].assign(
                value=shown.table[name], solved=shown.solved
            )
            parts.append(part.assign(**{_PANEL: name}))
    points = pd.concat(parts, ignore_index=True)
    # 0 steps, at the goal from the start, have no place on a logarithmic axis.
    return points[(points["value"] > 0) & points[key].notna()]


def _of_panel(frame: pd.DataFrame, panel: pd.Series) -> pd.DataFrame:
    keep = pd.Series(data=True, index=frame.index)
    for name, item in panel.items():
        keep &= frame[name].astype(object).fillna("none") == item
    return frame[keep]


def _draw_missed(
    axes: Axes, missed: pd.DataFrame, key: str, hue: str | None, colours: Look
) -> None:
    levels = missed[hue].astype(object).fillna("none") if hue else pd.Series("", missed.index)
    for level, part in missed.groupby(levels):
        colour = colours.colours.get(level, PLAIN)
        axes.plot(part[key], part["value"], "x", color=colour, ms=4, mew=1.0)


def _draw_exponents(axes: Axes, fits: pd.DataFrame, hue: str | None, colours: Look) -> None:
    """Write the exponents below a panel, each beside the look of its line."""
    import matplotlib
    from matplotlib.lines import Line2D
    from matplotlib.transforms import ScaledTranslation

    handles = []
    for _, fit in fits.iterrows():
        level: Any = fit[hue] if hue else None
        # Adding 0 makes of a rounded -0.0 a 0.0.
        value, low, high = (
            f"{round(fit[name], 2) + 0.0:.2f}"
            for name in ("exponent", "exponent_low", "exponent_high")
        )
        text = f"{value}  [{low}, {high}]"
        handles.append(
            Line2D(
                [],
                [],
                color=colours.colours.get(level, PLAIN),
                linestyle=(0, dashes) if (dashes := colours.dashes.get(level)) else "-",
                marker=colours.markers.get(level, "o"),
                markeredgewidth=0,
                label=text.replace("-", "\u2212"),
            )
        )
    if handles:
        room = matplotlib.rcParams["xtick.labelsize"] + matplotlib.rcParams["axes.labelsize"] + 14
        below = ScaledTranslation(0, -room / 72, axes.figure.dpi_scale_trans)
        axes.legend(
            handles=handles,
            title="exponent [95 %]",
            title_fontsize=6.5,
            fontsize=6.5,
            loc="upper center",
            bbox_to_anchor=(0.5, 0.0),
            bbox_transform=axes.transAxes + below,
            borderaxespad=0.0,
            labelspacing=0.3,
        )
