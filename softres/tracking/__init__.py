"""Runs tracked in MLflow: a store that many processes share, and one run at a time.

The package takes plain mappings, sequences and tables; it knows no solver and no configuration
system. Importing it is cheap: MLflow is imported when a store is opened, and only by
:mod:`softres.tracking.backend`.
"""

from softres.tracking.charts.ui import charts_link, ui_command
from softres.tracking.charts.view import Chart
from softres.tracking.environment import DESCRIPTION, environment, requirements
from softres.tracking.options import TrackingOptions
from softres.tracking.protocol import InputData, StoredRun
from softres.tracking.run import RunLog
from softres.tracking.store import Store, open_store

__all__ = [
    "DESCRIPTION",
    "Chart",
    "InputData",
    "RunLog",
    "Store",
    "StoredRun",
    "TrackingOptions",
    "charts_link",
    "environment",
    "open_store",
    "requirements",
    "ui_command",
]
