"""Logged runs as data: typed tables, figures of any sweep, and tables for a paper.

>>> import softres
>>> runs = softres.results.load(sweep="last")
>>> runs.table  # one row a run, a pandas data frame
>>> runs.traces  # one row a step
>>> runs.select(solver="exact_newton", n=[1000, 2000])
>>> runs.plot(x="step", y="relative_error_H", hue="solver")

Nothing heavy is imported before one of the names below is used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from softres.results.loading import load
    from softres.results.runs import Runs
    from softres.results.sweep import draw_sweep

_HOMES = {
    "Runs": "softres.results.runs",
    "draw_sweep": "softres.results.sweep",
    "load": "softres.results.loading",
}

__all__ = ["Runs", "draw_sweep", "load"]


def __getattr__(name: str) -> Any:
    """Import a public name on first use."""
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'softres.results' has no attribute '{name}'")
