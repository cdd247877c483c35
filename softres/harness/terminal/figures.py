"""The figures at the end of a sweep; what goes wrong with them is a line and no more."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from softres.harness.terminal.console import show_line, typed_path
from softres.tracking import TrackingOptions, open_store

__all__ = ["show_figures"]


def show_figures(place: TrackingOptions, sweep: str, folder: Path, *, ran: bool) -> None:
    """Draw a sweep and its runs, and print where the figures are.

    Parameters
    ----------
    place
        Where the runs are.
    sweep
        The sweep's name.
    folder
        The command's output folder, which gets the sweep's figures.
    ran
        Whether any job ran.
    """
    store = open_store(place, patient=True)
    if store.waiting_runs():
        return  # there will be figures of whole sweeps only
    own = place.absolute_uri == replace(place, uri=None).absolute_uri
    try:
        from softres.results.standard import draw_standard

        folder.mkdir(exist_ok=True)
        address = str(Path(place.folder).absolute()) if own else place.absolute_uri
        paths = draw_standard(sweep, address, folder, store.add_file, ran=ran)
    except (Exception, KeyboardInterrupt) as error:  # the runs are done, whatever became of these
        reason = (str(error) or type(error).__name__).splitlines()[0]
        show_line(f"no figures of this sweep: {reason[:54]}", style="yellow")
        return
    for path in paths:
        show_line(typed_path(path))
