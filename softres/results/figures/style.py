"""How figures look: sizes and fonts of a venue; colours, dashes and markers of what is compared."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from inspect import signature
from typing import Any, Literal

from softres.common.errors import InputError

__all__ = ["PLAIN", "Look", "Size", "Width", "drawing_with", "look", "size_of", "venues"]

Width = Literal["single", "double"]
#: Inches of one and of two columns where no venue is named.
_WIDTHS = {"single": 3.25, "double": 6.75}
_BASE: dict[str, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 8,
    "axes.labelsize": 8,
    "axes.titlesize": 8,
    "legend.fontsize": 7,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "mathtext.fontset": "dejavusans",
    "lines.linewidth": 1.2,
    "lines.markersize": 3.5,
    "axes.linewidth": 0.6,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.minor.width": 0.4,
    "ytick.minor.width": 0.4,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.linewidth": 0.4,
    "grid.color": "0.88",
    "legend.frameon": False,
    "legend.handlelength": 2.4,
    "pdf.fonttype": 42,
    "ps.fonttype": 42,
    "svg.fonttype": "none",
    "savefig.dpi": 200,
}
#: Told apart with every kind of colour blindness, and by their lightness.
_COLOURS = (
    "#0173b2",
    "#de8f05",
    "#029e73",
    "#d55e00",
    "#cc78bc",
    "#56b4e9",
    "#7f5539",
    "#949494",
    "#000000",
)
_DASHES: tuple[Any, ...] = ("", (4, 1.5), (1, 1), (3, 1, 1, 1), (6, 1), (5, 1, 1, 1, 1, 1))
_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">")
#: Settings of matplotlib that are not how a figure looks.
_NOT_STYLE = ("backend", "backend_fallback", "interactive", "toolbar", "date.epoch")
#: Colour where there is nothing to tell apart.
PLAIN = _COLOURS[0]
#: Solvers whose look is the same in every figure, whichever of them a sweep has.
_FIXED = (
    "exact_newton",
    "approx_newton",
    "gradient_descent",
    "scipy_lbfgs",
    "preconditioned_newton",
)


@dataclass(frozen=True)
class Size:
    """Width in inches and the settings of matplotlib that go with it."""

    width: float
    settings: dict[str, Any]


@dataclass(frozen=True)
class Look:
    """Colour, dashes and marker of each level, as seaborn takes them."""

    colours: dict[Any, Any]
    dashes: dict[Any, Any]
    markers: dict[Any, str]


@cache
def _bundles() -> dict[str, str]:
    """Return the newest bundle of tueplots for each venue."""
    from tueplots import bundles

    found: dict[str, str] = {}
    for name in sorted(dir(bundles)):
        if (match := re.fullmatch(r"([a-z]+)(\d{4})", name)) is not None:
            options = signature(getattr(bundles, name)).parameters
            if {"column", "rel_width"} & set(options):
                found[match[1]] = name
    return found


def venues() -> list[str]:
    """Return the names of the venues whose sizes and fonts are known."""
    return sorted(_bundles())


def size_of(width: str, venue: str | None = None) -> Size:
    """Return the size of a figure.

    Parameters
    ----------
    width
        ``single`` for one column (half the text's width where a venue has one column), ``double``
        for the text's width.
    venue
        Conference or journal, by tueplots' name without the year.

    Raises
    ------
    InputError
        If there is no such width or venue.
    """
    if width not in _WIDTHS:
        raise InputError(f"width={width}: allowed are single and double")
    if venue is None:
        return Size(_WIDTHS[width], dict(_BASE))
    if venue not in _bundles():
        raise InputError(f"venue={venue}: allowed are {', '.join(venues())}")
    from tueplots import bundles

    bundle = getattr(bundles, _bundles()[venue])
    options = signature(bundle).parameters
    chosen: dict[str, Any] = {"usetex": False} if "usetex" in options else {}
    if "column" in options:
        chosen["column"] = "half" if width == "single" else "full"
    else:
        chosen["rel_width"] = 0.5 if width == "single" else 1.0
    theirs = bundle(**chosen)
    inches = float(theirs["figure.figsize"][0])
    kept = {key: item for key, item in theirs.items() if key.endswith("size") and key in _BASE}
    serif = theirs.get("font.family", "serif") == "serif"
    return Size(inches, {**_BASE, **kept, **_fonts(theirs, serif=serif)})


def _fonts(theirs: dict[str, Any], *, serif: bool) -> dict[str, Any]:
    """Return the venue's fonts that this machine has, before one that matplotlib brings."""
    from matplotlib.font_manager import get_font_names

    have = set(get_font_names())
    wanted = theirs.get("font.serif" if serif else "font.sans-serif", [])
    own = "STIXGeneral" if serif else "DejaVu Sans"
    families = [name for name in wanted if name in have]
    return {
        "font.family": [*families, own],
        "mathtext.fontset": "stix" if serif else "dejavusans",
    }


@contextmanager
def drawing_with(size: Size) -> Iterator[None]:
    """Draw with the settings of a size, whatever the user's own are; the backend stays theirs."""
    import matplotlib as mpl

    settings: Any = {
        key: item for key, item in mpl.rcParamsDefault.items() if key not in _NOT_STYLE
    }
    with mpl.rc_context(settings | size.settings):
        yield


def look(key: str | None, levels: Sequence[Any]) -> Look:
    """Return how the levels of a key are told apart: never by colour alone.

    Numbers are shades from dark to light; words are colours, and a solver always has its own.
    """
    import seaborn as sns

    numeric = len(levels) > 1 and all(
        hasattr(level, "__float__") and not isinstance(level, bool) for level in levels
    )
    if numeric:
        shades = sns.color_palette("viridis", len(levels) + 1)[:-1]  # the last is too light
        order = dict(zip(levels, range(len(levels)), strict=True))
        colours = dict(zip(levels, shades, strict=True))
    else:
        order = _places(key, levels)
        colours = {level: _COLOURS[place % len(_COLOURS)] for level, place in order.items()}
    return Look(
        colours,
        {level: _DASHES[place % len(_DASHES)] for level, place in order.items()},
        {level: _MARKERS[place % len(_MARKERS)] for level, place in order.items()},
    )


def _places(key: str | None, levels: Sequence[Any]) -> dict[Any, int]:
    """Return which look each level has."""
    if key != "solver":
        return {level: place for place, level in enumerate(levels)}
    fixed = {level: _FIXED.index(level) for level in levels if level in _FIXED}
    free = [place for place in range(len(levels) + len(_FIXED)) if place not in fixed.values()]
    # A place that belongs to a solver is given to another one only when the rest is used up.
    free.sort(key=lambda place: (place < len(_FIXED) or place >= len(_COLOURS), place))
    others = [level for level in levels if level not in fixed]
    return {**fixed, **dict(zip(others, free, strict=False))}
