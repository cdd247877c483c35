"""What a figure shows, in words, for those who do not see it: read from what is drawn."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["alt_text"]

#: So many curves of a panel are told one by one; of more only how many there are.
MOST = 6
#: Ends of a curve that differ by less than this share are called the same.
FLAT = 0.02


def alt_text(figure: Figure) -> str:
    """Return a sentence or two a panel: its axes, and where each of its curves begins and ends.

    Curves without a name of their own, such as lines of help, are left out; so is what repeats in
    every panel.
    """
    panels = [axes for axes in figure.axes if axes.get_visible() and _has_data(axes)]
    told = [_panel(axes, number, len(panels)) for number, axes in enumerate(panels, start=1)]
    count = f"{len(panels)} panels. " if len(panels) > 1 else ""
    return count + " ".join(told)


def _has_data(axes: Axes) -> bool:
    return axes.has_data() and bool(axes.axison)


def _panel(axes: Axes, number: int, count: int) -> str:
    title = _plain(axes.get_title())
    before = f"{title or f'Panel {number}'}: " if count > 1 or title else ""
    y, x = _plain(axes.get_ylabel()), _plain(axes.get_xlabel())
    named = " against ".join(part for part in (y, x) if part) or "values"
    logs = [name for name, scale in zip("xy", _scales(axes), strict=True) if scale == "log"]
    logarithmic = f" ({' and '.join(logs)} logarithmic)" if logs else ""
    curves = list(_curves(axes))
    if len(curves) > MOST:
        low = min(min(first, last) for _, first, last in curves)
        high = max(max(first, last) for _, first, last in curves)
        return (
            f"{before}{named}{logarithmic}; {len(curves)} curves between {low:.2g} and {high:.2g}."
        )
    moves = [f"{name} {_move(first, last)}" for name, first, last in curves]
    return f"{before}{named}{logarithmic}{'; ' if moves else ''}{', '.join(moves)}."


def _scales(axes: Axes) -> tuple[str, str]:
    return axes.get_xscale(), axes.get_yscale()


def _curves(axes: Axes) -> Iterator[tuple[str, float, float]]:
    """Yield a name with the first and the last height of everything that has a name."""
    left = -1.0 if axes.xaxis_inverted() else 1.0  # ends as they are seen
    for line in axes.lines:
        yield from _named(
            str(line.get_label()), np.asarray(line.get_xydata(), dtype=float) * [left, 1.0]
        )
    for collection in axes.collections:
        offsets = np.asarray(collection.get_offsets(), dtype=float)
        yield from _named(str(collection.get_label()), offsets * [left, 1.0])
    for container in axes.containers:
        heights = [bar.get_height() for bar in container if hasattr(bar, "get_height")]
        points = (
            np.column_stack([np.arange(len(heights)), heights]) if heights else np.empty((0, 2))
        )
        yield from _named(str(container.get_label()), points)


def _named(label: str, points: npt.ArrayLike) -> Iterator[tuple[str, float, float]]:
    drawn = np.asarray(points, dtype=float)
    if not label or label.startswith("_") or drawn.ndim != 2:
        return
    drawn = drawn[np.isfinite(drawn).all(axis=1)]
    if len(drawn):
        order = np.argsort(drawn[:, 0], kind="stable")
        yield _plain(label), float(drawn[order[0], 1]), float(drawn[order[-1], 1])


def _move(first: float, last: float) -> str:
    if abs(last - first) <= FLAT * max(abs(first), abs(last)):
        return f"stays near {last:.2g}"
    return f"{'rises' if last > first else 'falls'} from {first:.2g} to {last:.2g}"


def _plain(text: str) -> str:
    """Return a label without the signs of its typesetting."""
    text = re.sub(r"\\(?:mathrm|text|mathbf)\{([^}]*)\}", r"\1", text)
    text = re.sub(r"\\([A-Za-z]+)", r"\1", re.sub(r"\\[,;!]", " ", text))
    return re.sub(r"[${}\\]|\s+", lambda sign: " " if sign[0].isspace() else "", text).strip()
