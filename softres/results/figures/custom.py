"""One's own figure: any column over any other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pandas as pd

from softres.common.errors import InputError
from softres.results.figures import labels
from softres.results.figures.captions import caption, note_of, runs_a_line
from softres.results.figures.convergence import TIMES, draw_convergence, timed
from softres.results.figures.drawing import Drawing, LineChart, draw
from softres.results.figures.encoding import choose, levels_of
from softres.results.figures.style import Look, size_of
from softres.results.figures.ticks import ticks_at, word_ticks
from softres.results.resample import bands_of_points

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from softres.results.runs import Runs

__all__ = ["draw_custom"]

#: Columns of the traces that are meant when they are the x of a figure.
_BY_STEP = ("step", "solve_seconds", "passes", "grams")


def draw_custom(
    runs: Runs,
    x: str,
    y: str,
    asked: Mapping[str, str | None],
    *,
    width: str = "double",
    venue: str | None = None,
) -> Drawing:
    """Draw y over x: curves over the steps of runs, or one figure a run over a swept key.

    Raises
    ------
    InputError
        If there is no such column, or x or y cannot be drawn.
    """
    if x in _BY_STEP or x not in runs.table:
        return draw_convergence(runs, x, y, asked, width=width, venue=venue)
    shown = timed(runs) if {x, y} & set(TIMES) else runs
    table = shown.table
    if not pd.api.types.is_numeric_dtype(table[shown.column(y)]):
        raise InputError(f"y={y}: a column of numbers is needed")
    encoding, size = choose(shown, (x, y), asked), size_of(width, venue)
    frame = table.assign(**{y: table[y].astype(float)})
    numeric = pd.api.types.is_numeric_dtype(frame[x]) and frame[x].dtype != bool
    log_x, log_y = numeric and _is_wide(frame[x], 5.0), _is_wide(frame[y], 15.0)
    bands = bands_of_points(frame, encoding.keys, x, y, log_y=log_y)
    if not len(bands):
        raise InputError(f"{y} over {x}: no run has both")
    words = [] if numeric else levels_of(bands, x)
    placed = bands if numeric else bands.assign(**{x: _places(bands, x, encoding.hue)})

    def finish(axes: Axes, part: pd.DataFrame, colours: Look) -> None:
        if words:
            word_ticks(axes, [labels.value(word) for word in words])
        elif log_x:
            ticks_at(axes, bands[x])

    each = runs_a_line(bands["runs"]).replace("line", "point")
    chart = LineChart(
        x,
        "median",
        labels.axis(x),
        labels.axis(y),
        log_x,
        log_y,
        mark="all",
        apart=not numeric,
        finish=finish,
        note=note_of(shown, encoding, each),
    )
    grid = draw(placed, chart, encoding, size)
    sentences = [
        f"{labels.axis(y).partition(' [')[0].capitalize()} over "
        f"{labels.axis(x).partition(' [')[0]}.",
        f"Line: median; band: 20–80 % of the runs of a point ({each}).",
    ]
    times = len(shown) != len(runs)
    text = caption(shown, sentences, encoding, times=times, left_out=len(runs) - len(shown))
    return Drawing(f"{y}_by_{x}", grid, text, bands, size)


def _places(bands: pd.DataFrame, x: str, hue: str | None) -> list[float]:
    """Return where points stand: beside one another at each word."""
    words, colours = levels_of(bands, x), levels_of(bands, hue)
    places = []
    for row in bands.to_dict("records"):
        place = float(words.index(row[x] if row[x] in words else None))
        if hue is not None:
            level = row[hue] if row[hue] in colours else None
            place += 0.6 * ((colours.index(level) + 0.5) / len(colours) - 0.5)
        places.append(place)
    return places


def _is_wide(values: pd.Series, ratio: float) -> bool:
    least, most = float(values.min()), float(values.max())
    return bool(least > 0 and most >= ratio * least)
