"""All figures that fit a sweep."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from softres.common.errors import InputError
from softres.results.figures.against import draw_against
from softres.results.figures.convergence import GOAL, draw_convergence
from softres.results.figures.profile import draw_profile
from softres.results.figures.runtime import draw_runtimes
from softres.results.figures.scaling import draw_scaling, scaling_keys

if TYPE_CHECKING:
    from softres.results.archive import Archive
    from softres.results.figures.drawing import Drawing
    from softres.results.runs import Runs

__all__ = ["draw_sweep"]

_BY = {"step": "step", "solve_seconds": "second", "passes": "pass"}


def draw_sweep(
    runs: Runs,
    asked: Mapping[str, str | None] | None = None,
    *,
    y: str = GOAL,
    width: str = "double",
    venue: str | None = None,
    archive: Archive | None = None,
    say: Callable[[str], None] = print,
) -> Iterator[Drawing]:
    """Draw what fits a sweep, one figure after the other.

    Convergence by step, by solver second and by pass; steps and seconds against every swept number;
    a performance profile where methods are compared on several instances; the distribution of
    runtimes over instances and targets.

    Parameters
    ----------
    runs
        The runs.
    asked
        Keys for ``hue``, ``style``, ``col`` and ``row``; what is missing is chosen.
    y
        The error whose convergence is drawn.
    width
        ``single`` or ``double`` column.
    venue
        Whose sizes and fonts.
    archive
        A kept race to draw the sweep beside.
    say
        Told what is not drawn, and why.

    Raises
    ------
    InputError
        If no run has a trace, or the width or venue is unknown.
    """
    solves = runs.solves
    if len(solves) == len(solves.untraced):
        raise InputError(
            f"none of {len(runs)} runs has a trace to draw; {len(runs) - len(solves)} of them are "
            "measurements of claims, whose figures are drawn without --sweep and --where"
        )
    if len(solves) < len(runs):
        say(f"{len(runs) - len(solves)} runs are measurements of claims, and not drawn")
    runs = solves
    for x, word in _BY.items():
        try:
            yield draw_convergence(
                runs, x, y, asked, width=width, venue=venue, name=f"convergence_{word}"
            )
        except InputError as error:
            say(f"no convergence by {word}: {error}")
    for key in scaling_keys(runs):
        try:
            yield draw_scaling(runs, key, asked, width=width, venue=venue)
        except InputError as error:
            say(f"no scaling: {error}")
    for what, draw in (("performance profile", draw_profile), ("runtimes", draw_runtimes)):
        drawing = draw(runs, width=width, venue=venue)
        if drawing is None:
            say(
                f"no {what}: it takes several methods on the same instances"
                if draw is draw_profile
                else f"no {what}: no run has a trace"
            )
        else:
            yield drawing
    if archive is not None:
        if beside := draw_against(runs, archive, width=width, venue=venue):
            yield beside
        else:
            say(f"nothing beside {archive.name}: no run has a trace")
