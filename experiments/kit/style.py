"""How figures look: made for a paper's column, safe for colour blindness, readable in grey."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import seaborn as sns

from experiments.kit.legends import readable_ticks

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["DOUBLE", "LOOK", "SINGLE", "look", "new_figure", "save"]

#: Widths of one and of two columns, in inches.
SINGLE, DOUBLE = 3.25, 6.75

_COLOURS = sns.color_palette("colorblind", 8)
#: Colour, line style and marker of everything that figures compare: never colour alone.
LOOK: dict[str, dict[str, Any]] = {
    "exact_newton": {"color": _COLOURS[0], "linestyle": "-", "marker": "o"},
    "approx_newton": {"color": _COLOURS[1], "linestyle": "--", "marker": "s"},
    "gradient_descent": {"color": _COLOURS[2], "linestyle": ":", "marker": "^"},
    "scipy_lbfgs": {"color": _COLOURS[3], "linestyle": "-.", "marker": "D"},
    "softres": {"color": _COLOURS[0], "linestyle": "-", "marker": "o"},
    "softmax": {"color": _COLOURS[1], "linestyle": "--", "marker": "s"},
    "resnet": {"color": _COLOURS[2], "linestyle": ":", "marker": "^"},
    "leverage": {"color": _COLOURS[0], "linestyle": "-", "marker": "o"},
    "uniform": {"color": _COLOURS[1], "linestyle": "--", "marker": "s"},
    "count_sketch": {"color": _COLOURS[2], "linestyle": ":", "marker": "^"},
    "bound": {"color": "0.25", "linestyle": (0, (1, 1)), "marker": ""},
}
_ORDER = [("-", "o"), ("--", "s"), (":", "^"), ("-.", "D"), ((0, (5, 1)), "v")]

_RC: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 8,
    "axes.labelsize": 8,
    "axes.titlesize": 8,
    "legend.fontsize": 7,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "lines.linewidth": 1.2,
    "lines.markersize": 3.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.linewidth": 0.4,
    "grid.color": "0.88",
    "legend.frameon": False,
    "pdf.fonttype": 42,
    "savefig.dpi": 200,
}


def _rc() -> dict[Any, Any]:
    """Return all that says how a figure looks: the user's own matplotlibrc has no part in it."""
    others: dict[Any, Any] = dict(mpl.rcParamsDefault)
    for name in ("backend", "backend_fallback", "interactive", "toolbar", "date.epoch"):
        others.pop(name, None)
    return others | _RC


def look(name: str, index: int = 0) -> dict[str, Any]:
    """Return colour, line style and marker for a name, or for the index-th thing without one."""
    if name in LOOK:
        return dict(LOOK[name])
    line, marker = _ORDER[index % len(_ORDER)]
    return {"color": _COLOURS[index % len(_COLOURS)], "linestyle": line, "marker": marker}


def new_figure(
    width: float = SINGLE, height: float | None = None, columns: int = 1, rows: int = 1
) -> tuple[Figure, list[Axes]]:
    """Return a figure with its axes in reading order; no title inside, the caption has it."""
    import matplotlib.pyplot as plt

    mpl.use("Agg")
    mpl.rcParams.update(_rc())  # not a context: legends and texts are added after this returns
    height = height or rows * (0.75 * width / columns if columns > 1 else 0.7 * width)
    figure, axes = plt.subplots(
        rows, columns, figsize=(width, height), layout="constrained", squeeze=False
    )
    return figure, list(axes.flat)


def save(figure: Figure, folder: Path, name: str) -> list[Path]:
    """Write a figure as PDF with embedded fonts and as PNG; return the paths."""
    import matplotlib.pyplot as plt

    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{name}.pdf", folder / f"{name}.png"]
    readable_ticks(figure)
    with mpl.rc_context(_rc()):  # whatever the figure was drawn in, its fonts must be embedded
        for path in paths:
            figure.savefig(path, metadata={"CreationDate": None} if path.suffix == ".pdf" else None)
    plt.close(figure)
    return paths
