"""How to look at the runs: the command that starts the user interface, and the link to open."""

from __future__ import annotations

import shlex
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

from softres.tracking.charts.view import view_key
from softres.tracking.options import TrackingOptions

__all__ = ["UI_ENVIRONMENT", "charts_link", "ui_command", "ui_words"]

#: Without this MLflow's server starts workers for jobs that nobody gives it.
UI_ENVIRONMENT = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}


def ui_command(options: TrackingOptions) -> str:
    """Return the command that starts the user interface, ready to paste.

    Our own one, which keeps MLflow to two processes and half a gigabyte: with its defaults it takes
    fifteen and two gigabytes.

    Returns
    -------
    The command; empty when the store is a server, which is running already.
    """
    if options.database is None:
        return ""
    words = []
    folder = Path(options.folder).absolute()
    if options.absolute_uri != replace(options, uri=None).absolute_uri:
        words += ["--tracking-uri", options.absolute_uri]
    elif folder != Path(TrackingOptions().folder).absolute():
        inside = folder.is_relative_to(Path.cwd())
        words += ["--folder", str(folder.relative_to(Path.cwd()) if inside else folder)]
    if options.port != TrackingOptions().port:
        words += ["--port", str(options.port)]
    return shlex.join([*_program(), "ui", *words])


def ui_words(options: TrackingOptions) -> list[str]:
    """Return the words after ``mlflow`` that start the user interface on an SQLite store."""
    store = ["--backend-store-uri", options.absolute_uri]
    return ["ui", "--workers", "1", *store, "--port", str(options.port)]


def charts_link(options: TrackingOptions, experiment_id: str, sweep: str | None) -> str:
    """Return the link that opens the charts of a sweep.

    The charts themselves are those of :meth:`softres.tracking.Store.save_charts`.

    Parameters
    ----------
    options
        Where the user interface is.
    experiment_id
        Id of the experiment.
    sweep
        Sweep to show; ``None`` shows all runs.
    """
    base = f"http://127.0.0.1:{options.port}" if options.database else options.absolute_uri
    return (
        f"{base}/#/experiments/{quote(experiment_id)}/runs?workflowType=machine_learning"
        f"&compareRunsMode=CHART&viewStateShareKey={view_key(sweep)}"
    )


def _program() -> list[str]:
    """Return how to call us from a shell: by name where that is the one of this Python."""
    found = shutil.which("softres")
    if found and Path(found).parent == Path(sys.executable).parent:
        return ["softres"]
    return [sys.executable, "-m", "softres"]
