"""The page of charts that the user interface opens: which charts, in which order, grouped how.

MLflow keeps the state of a shared page in a tag of the experiment, as its "Share" button and its
saved views do. A link names the tag. The address of the page itself can carry a filter, but
neither charts nor a grouping.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from softres.tracking.charts.curves import TIME_SUFFIX
from softres.tracking.sweeps import key_of, members_of

__all__ = ["DEFAULT_CHARTS", "Chart", "shared_views", "view_key"]

_TAG = "mlflow.sharedViewState."
_OURS, _REST, _SYSTEM = "convergence", "rest", "system"


@dataclass(frozen=True)
class Chart:
    """A line chart; its title is the name of the metric.

    Attributes
    ----------
    metric
        Metric on the vertical axis.
    x
        Horizontal axis: ``step``, ``time-relative`` (s since the first point, of use only for
        runs that are not grouped), or another metric.
    log_x
        Whether the horizontal axis is logarithmic; a step 0 has no place on it.
    """

    metric: str
    x: str = "step"
    log_x: bool = False


DEFAULT_CHARTS = (
    Chart("log10_error_H", log_x=True),
    Chart(f"log10_error_H{TIME_SUFFIX}", log_x=True),
    Chart("log10_relative_gradient", log_x=True),
    Chart(f"log10_relative_gradient{TIME_SUFFIX}", log_x=True),
)
#: Columns of the table of runs, beside the name, and their widths in pixels. Of a small number
#: the table shows the digits and cuts the exponent: the error is its logarithm.
_COLUMNS = {
    "params.`solver`": 130,
    "params.`n`": 80,
    "params.`d`": 60,
    "params.`seed`": 60,
    "tags.`status`": 100,
    "metrics.`steps`": 80,
    "metrics.`solve_seconds`": 115,
    "metrics.`log10_error_l2`": 115,
}


def view_key(sweep: str | None) -> str:
    """Return the key of the page of a sweep; ``None`` is the page of all runs."""
    if sweep is None:
        return "softres"
    return f"softres-{key_of(sweep)}"


def shared_views(
    sweep: str | None, charts: Sequence[Chart] | None, group_by: Sequence[str]
) -> dict[str, str]:
    """Return the tags of an experiment that hold its pages of charts.

    Parameters
    ----------
    sweep
        Sweep with a page of its own, beside that of all runs; ``None`` for the latter only.
    charts
        Charts in the order in which they are shown; ``None`` takes :data:`DEFAULT_CHARTS`.
    group_by
        Parameters whose equal values share a line.

    Returns
    -------
    Tags and their values. The page of all runs has a name: the menu "Views" lists it.
    """
    state = _state(DEFAULT_CHARTS if charts is None else charts, group_by)
    # A named page has an age; a fixed one keeps the tag the same in every process.
    named = {"name": "softres", "createdAt": 0, "updatedAt": 0, "state": json.dumps(state)}
    views = {
        _TAG + view_key(None): json.dumps(named),
    }
    if sweep is not None:
        filtered = {**state, "searchFilter": members_of(sweep)}
        views[_TAG + view_key(sweep)] = json.dumps(filtered)
    return views


def _state(charts: Sequence[Chart], group_by: Sequence[str]) -> dict[str, object]:
    grouping = [{"mode": "param", "groupByData": name} for name in group_by]
    return {
        "groupBy": {"aggregateFunction": "average", "groupByKeys": grouping} if grouping else None,
        "useGroupedValuesInCharts": True,
        "runsHiddenMode": "SHOW_ALL" if grouping else "FIRST_20_RUNS",
        "hideEmptyCharts": True,
        "selectedColumns": list(_COLUMNS),
        "columnOrder": list(_COLUMNS),
        "columnWidths": _COLUMNS,
        "compareRunCharts": [_card(number, chart) for number, chart in enumerate(charts)],
        "compareRunSections": [
            *([_section(_OURS, "Convergence", shown=True)] if charts else []),
            # MLflow adds the charts of all other metrics to the sections of these names.
            _section(_REST, "Model metrics", shown=not charts),
            _section(_SYSTEM, "System metrics", shown=False),
        ],
        "isAccordionReordered": True,  # otherwise the sections are sorted by name
    }


def _section(key: str, name: str, *, shown: bool) -> dict[str, object]:
    return {"uuid": key, "name": name, "display": shown, "isReordered": True, "columns": 2}


def _card(number: int, chart: Chart) -> dict[str, object]:
    by_metric = chart.x not in ("step", "time-relative")
    # The grid of times is no iterates; of others MLflow shows the points where they are few.
    points = {"displayPoints": False} if chart.metric.endswith(TIME_SUFFIX) else {}
    return {
        **points,
        "uuid": f"{_OURS}-{number}",
        "type": "LINE",
        "metricSectionId": _OURS,
        "metricKey": chart.metric,
        "selectedMetricKeys": [chart.metric],
        "xAxisKey": "metric" if by_metric else chart.x,
        "selectedXAxisMetricKey": chart.x if by_metric else "",
        "useGlobalXaxisKey": False,
        "useGlobalLineSmoothing": True,
        "lineSmoothness": 0,
        "xAxisScaleType": "log" if chart.log_x else "linear",
        "scaleType": "linear",
        "yAxisKey": "metric",
        "yAxisExpressions": [],
        "range": {},
        "ignoreOutliers": False,
        "runsCountToCompare": 10,
        "isGenerated": False,
        "deleted": False,
    }
