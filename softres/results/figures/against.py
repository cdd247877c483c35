"""A sweep beside a kept race, without running that again: distributions of runtimes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from softres.common.text import printable
from softres.results.figures import labels
from softres.results.figures.captions import caption, counted
from softres.results.figures.convergence import GOAL
from softres.results.figures.drawing import Drawing
from softres.results.figures.encoding import Encoding
from softres.results.figures.runtime import draw_shares, hitting_times, stairs
from softres.results.figures.style import size_of
from softres.results.methods import with_methods

if TYPE_CHECKING:
    from softres.results.archive import Archive
    from softres.results.runs import Runs

__all__ = ["draw_against"]

_PANEL, _METHOD, _FROM = "clock", "solver", "from"


def draw_against(
    runs: Runs, archive: Archive, *, width: str = "double", venue: str | None = None
) -> Drawing | None:
    """Draw the share of (instance, target) pairs reached, of a sweep and of a kept race.

    By pass, which no machine changes; by second only where machine, code and clock agree, and
    otherwise the figure says why not.

    Returns
    -------
    None where no run has a trace with an error.
    """
    if not {"passes", GOAL} <= set(runs.traces):
        return None
    archived = labels.text(printable(archive.name))
    apart = labels.text(printable(archive.differs(runs))) or (
        "" if len(runs.timed) == len(runs) else "times are shared"
    )
    clocks = ["passes"] if apart else ["passes", "solve_seconds"]
    methods = with_methods(runs).set_index("run")["method"]
    parts = []
    for clock in clocks:
        times = hitting_times(runs.traces, clock, targets=archive.targets)
        spent = [("this sweep", name, times.loc[part.index]) for name, part in _by(methods, times)]
        spent += [
            (archived, labels.value(printable(name)), pd.DataFrame(taken))
            for name, taken in archive.spent(clock).items()
        ]
        every = np.concatenate([taken.to_numpy(float).ravel() for _, _, taken in spent])
        end = 1.2 * float(every[np.isfinite(every)].max(initial=0.0))
        for source, name, taken in spent:
            steps = stairs(taken.to_numpy(float).ravel(), end)
            parts.append(steps.assign(**{_PANEL: clock, _METHOD: name, _FROM: source}))
    data, size = pd.concat(parts, ignore_index=True), size_of(width, venue)
    encoding = Encoding(hue=_METHOD, style=_FROM, col=_PANEL)
    instances = archive.medians["instance"].nunique()
    why = f"; no seconds: {apart}" if apart else ""
    titles = {clock: labels.axis(clock) for clock in clocks}
    note = f"{counted(len(runs))}; {archived}: {instances} instances of its own{why}"
    grid = draw_shares(data, "spent", titles, "pairs reached", note, encoding, size)
    targets = ", ".join(labels.value(target) for target in archive.targets)
    commits = sorted(
        {labels.text(printable(entry["commit"][:10])) for entry in archive.environment["runs"]}
    )
    sentences = [
        "The share of pairs of an instance and a target that are reached within what is spent: of "
        f"this sweep, and of {archived} (commit {', '.join(commits)}), which was not run again "
        f"and has {instances} instances of its own, those that all of its contestants ran on. The "
        f"curves compare how much is taken, not who is faster on one instance. Targets are those "
        f"that it timed: relative error {targets} in the norm of the Hessian.",
        f"By seconds it cannot be compared: {apart}."
        if apart
        else "Machine and code are the same.",
    ]
    text = caption(runs, sentences, encoding, times=not apart)
    return Drawing("runtime_against", grid, text, data, size)


def _by(methods: pd.Series[str], times: pd.DataFrame) -> list[tuple[str, pd.Series[str]]]:
    """Return each method with those of its runs that have a trace."""
    traced = methods[methods.index.isin(times.index)]
    return [(str(name), part) for name, part in traced.groupby(traced, sort=False)]
