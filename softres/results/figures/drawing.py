"""Lines with bands in panels: what all figures of a sweep are drawn with."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from softres.results.figures import labels
from softres.results.figures.encoding import Encoding, levels_of
from softres.results.figures.legend import Entry, legend_above
from softres.results.figures.panels import Panels, arrange, is_lowest
from softres.results.figures.style import PLAIN, Look, Size, drawing_with, look
from softres.results.figures.ticks import readable
from softres.results.resample import groups

if TYPE_CHECKING:
    import pandas as pd
    import seaborn as sns
    from matplotlib.axes import Axes

__all__ = ["Drawing", "LineChart", "draw"]

_MISSING = "none"
#: Inches: the lowest and the highest panel.
_LOWEST, _HIGHEST = 1.75, 3.0
#: Lines of more points than this have markers here and there only.
_MARKED = 25


@dataclass(frozen=True)
class Drawing:
    """A figure with what belongs to it.

    Attributes
    ----------
    name
        Of its files; what a file or a label of LaTeX had better not have is an underscore.
    grid
        The figure, as seaborn has it.
    caption
        Caption, with maths between dollars.
    data
        What is drawn.
    size
        What it was drawn with.
    """

    name: str
    grid: sns.FacetGrid
    caption: str
    data: pd.DataFrame
    size: Size

    def __post_init__(self) -> None:
        """Keep to letters, digits, ``_`` and ``-``: LaTeX takes what follows a dot for a format."""
        object.__setattr__(self, "name", re.sub(r"[^\w-]", "_", self.name, flags=re.ASCII))


@dataclass(frozen=True)
class LineChart:
    """What the panels of a figure show.

    Attributes
    ----------
    x, y
        Columns; of y the band is in ``low`` and ``high`` where the data have them.
    x_label, y_label
        Titles of the axes; or one for each level of ``encoding.col``.
    log_x, log_y
        Whether an axis is logarithmic; ``symlog`` where it begins at 0.
    mark
        ``spread`` puts a few markers on long lines, ``all`` one at each point.
    steps
        Whether lines are stairs.
    apart
        Whether points stand apart, each with a bar for its band.
    share_x, share_y
        Whether panels share an axis.
    note
        Small print below the panels.
    extra
        Further entries of the legend.
    finish
        Adds to a panel, given its axes, its rows of the data and its look.
    columns
        Levels of ``encoding.col`` in order where they are no values of a key but what is drawn;
        their panels are named by their axes.
    below
        Room for more below each panel, inches.
    """

    x: str
    y: str
    x_label: str | Mapping[Any, str]
    y_label: str | Mapping[Any, str]
    log_x: bool | str = False
    log_y: bool = False
    mark: str = "spread"
    steps: bool = False
    apart: bool = False
    share_x: bool = True
    share_y: bool = True
    note: str = ""
    extra: tuple[Entry, ...] = ()
    finish: Callable[[Axes, pd.DataFrame, Look], None] | None = None
    columns: tuple[str, ...] = ()
    below: float = 0.0


def draw(data: pd.DataFrame, chart: LineChart, encoding: Encoding, size: Size) -> sns.FacetGrid:
    """Draw the panels of a figure."""
    with drawing_with(size):
        return _draw(data, chart, encoding, size)


def _draw(data: pd.DataFrame, chart: LineChart, encoding: Encoding, size: Size) -> sns.FacetGrid:
    import seaborn as sns

    frame = _without_gaps(data, encoding)
    panels = arrange(frame, encoding, chart.columns, size.width)
    frame = panels.frame
    width = size.width / panels.across
    # Titles and labels take the same room however narrow a panel is.
    height = float(np.clip(0.6 * width, _LOWEST, _HIGHEST))
    grid = sns.FacetGrid(
        frame,
        col=panels.col,
        row=panels.row,
        col_order=panels.cols or None,
        row_order=panels.rows or None,
        col_wrap=panels.across if len(panels.cols) > panels.across else None,
        sharex=chart.share_x,
        sharey=chart.share_y,
        height=height,
        aspect=width / height,
        legend_out=False,
    )
    colours = look(encoding.hue, levels_of(frame, encoding.hue))
    lines = colours
    if encoding.style != encoding.hue:
        lines = look(encoding.style, levels_of(frame, encoding.style))
    for place, part in grid.facet_data():
        axes = grid.facet_axis(place[0], place[1])
        _scale(axes, chart)
        if not chart.share_x and part[chart.x].nunique() == 1:
            only = float(part[chart.x].min())
            axes.set_xlim(only / 2, only * 2)  # matplotlib warns of an axis without extent
        _lines(axes, part, chart, encoding, colours, lines)
        if chart.finish is not None:
            chart.finish(axes, part, colours)
        for axis in (axes.xaxis, axes.yaxis):
            readable(axis)
    _titles(grid, chart, encoding, panels)
    entries = _entries(frame, encoding, colours, lines, chart)
    used = legend_above(grid.figure, entries, size)
    if chart.note:
        grid.figure.supxlabel(chart.note, fontsize=6.5, color="0.35")
    grid.figure.set_size_inches(size.width, panels.down * (height + chart.below) + used + 0.2)
    grid.figure.set_layout_engine("constrained", w_pad=0.03, h_pad=0.03)
    return grid


def _without_gaps(data: pd.DataFrame, encoding: Encoding) -> pd.DataFrame:
    """Return the data with a word for what is missing in a key that is shown."""
    gaps = [key for key in encoding.keys if data[key].isna().any()]
    return data.assign(**{key: data[key].astype(object).fillna(_MISSING) for key in gaps})


def _scale(axes: Axes, chart: LineChart) -> None:
    # Before anything is drawn: markers are spread by the length of a line on the page.
    from matplotlib.ticker import FuncFormatter

    if chart.log_x == "symlog":
        axes.set_xscale("symlog", linthresh=1, linscale=0.4)
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    elif chart.log_x:
        axes.set_xscale("log")
    if chart.log_y:
        axes.set_yscale("log")


def _lines(
    axes: Axes, part: pd.DataFrame, chart: LineChart, encoding: Encoding, colours: Look, lines: Look
) -> None:
    import seaborn as sns

    more: dict[str, Any] = {"drawstyle": "steps-post"} if chart.steps else {}
    if chart.apart:
        more["linewidth"] = 0
    if encoding.hue is None:
        more["color"] = PLAIN
    if not lines.markers and chart.mark == "all":
        more["marker"] = "o"
    sns.lineplot(
        part,
        x=chart.x,
        y=chart.y,
        hue=encoding.hue,
        hue_order=list(colours.colours) or None,
        palette=colours.colours or None,
        style=encoding.style,
        style_order=list(lines.dashes) or None,
        dashes=lines.dashes or True,
        markers=lines.markers or None,
        markeredgewidth=0,
        estimator=None,
        errorbar=None,
        sort=False,
        legend=False,
        ax=axes,
        **more,
    )
    if chart.mark == "spread":
        for drawn in axes.lines:
            few = np.size(drawn.get_xdata()) <= _MARKED
            drawn.set_markevery(1 if few and not chart.steps else 0.15)
    if "low" not in part:
        return
    keys = list(dict.fromkeys(key for key in (encoding.hue, encoding.style) if key))
    for level, line in groups(part[part["low"].notna()], keys):
        colour = colours.colours.get(level[0], PLAIN) if encoding.hue else PLAIN
        if chart.apart:
            axes.vlines(line[chart.x], line["low"], line["high"], color=colour, alpha=0.6)
        elif (line["high"] > line["low"]).any():
            axes.fill_between(
                line[chart.x].to_numpy(float),
                line["low"].to_numpy(float),
                line["high"].to_numpy(float),
                color=colour,
                alpha=0.18,
                linewidth=0,
                step="post" if chart.steps else None,
            )


def _titles(grid: sns.FacetGrid, chart: LineChart, encoding: Encoding, panels: Panels) -> None:
    """Name the panels, and the axes of those at the edge or of all where they differ."""
    own_axes = bool(chart.columns)
    for (row, col, _), _part in grid.facet_data():
        axes = grid.facet_axis(row, col)
        level, below = panels.levels(grid, row, col)
        axes.set_title(panels.title(encoding, level, below, own_axes=own_axes))
        x, y = chart.x_label, chart.y_label
        spec = axes.get_subplotspec()
        first = spec is None or spec.is_first_col()
        if not isinstance(x, str):
            axes.set_xlabel(x[level])
        else:
            axes.set_xlabel(x if is_lowest(grid, axes, panels.across) else "")
        if not isinstance(y, str):
            axes.set_ylabel(y[level])
        else:
            axes.set_ylabel(y if first else "")
        if chart.log_x is False and chart.x in ("step", "steps"):
            from matplotlib.ticker import MaxNLocator

            axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))


def _entries(
    frame: pd.DataFrame, encoding: Encoding, colours: Look, lines: Look, chart: LineChart
) -> list[Entry]:
    """Return what the legend says."""
    entries = []
    for level in levels_of(frame, encoding.hue):
        same = encoding.style == encoding.hue
        entries.append(
            Entry(
                labels.assignment(str(encoding.hue), level),
                colours.colours[level],
                lines.dashes[level] if same else "",
                lines.markers[level] if same else "",
            )
        )
    if encoding.style not in (None, encoding.hue):
        entries += [
            Entry(
                labels.assignment(str(encoding.style), level),
                "0.3",
                lines.dashes[level],
                lines.markers[level],
            )
            for level in levels_of(frame, encoding.style)
        ]
    return [*entries, *chart.extra]
