"""The figures that every sweep gets: its own two, and one for each of its runs."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from softres.results.loading import load

if TYPE_CHECKING:
    from softres.results.runs import Runs

__all__ = ["draw_standard"]

#: Tag of a run that has its figure.
TAG = "figure"


def draw_standard(
    sweep: str,
    store: str,
    folder: Path,
    keep: Callable[[str, Path, dict[str, str]], None],
    *,
    ran: bool,
) -> list[Path]:
    """Draw convergence of a sweep by step and by second, and of each run that has no figure yet.

    Where no times can be compared, passes over A stand in for seconds.

    Parameters
    ----------
    sweep
        Name of the sweep.
    store
        Folder or address of its store.
    folder
        Where the sweep's own figures go, PNG.
    keep
        Keeps a file and tags with a run, given by its id.
    ran
        Whether any job ran; otherwise the sweep's figures are drawn only where a run had none.

    Returns
    -------
    Paths of the sweep's figures; none where nothing was solved.

    Raises
    ------
    InputError
        If the store does not answer.
    """
    runs = load(sweep, store=store).solves
    if len(runs) == len(runs.untraced):
        return []
    from softres.results.figures.one_run import NAME, draw_each

    with warnings.catch_warnings(), tempfile.TemporaryDirectory(prefix="softres-") as name:
        warnings.simplefilter("ignore")  # of what is drawn, none concerns who ran the sweep
        have = set(runs.table.loc[runs.table[TAG] == NAME, "run"]) if TAG in runs.table else set()
        missing = [run for run in runs if run not in have]
        if missing:
            for run, path in draw_each(runs.select(run=missing), Path(name)):
                keep(run, path, {TAG: NAME})
        elif not ran:
            return []
        return _of_sweep(runs, folder)


def _of_sweep(runs: Runs, folder: Path) -> list[Path]:
    from matplotlib import pyplot as plt

    from softres.results.figures.convergence import GOAL, draw_convergence
    from softres.results.figures.style import drawing_with

    plt.switch_backend("agg")  # there need be no display
    second = "solve_seconds" if len(runs.timed) else "passes"
    paths = []
    for x, word in (("step", "step"), (second, "second" if len(runs.timed) else "pass")):
        drawing = draw_convergence(runs, x, GOAL, name=f"convergence_{word}")
        path = folder / f"{drawing.name}.png"
        with drawing_with(drawing.size):
            drawing.grid.figure.savefig(path)
        plt.close(drawing.grid.figure)
        paths.append(path)
    return paths
