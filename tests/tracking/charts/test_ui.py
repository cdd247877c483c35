import json
import shlex
import shutil
import sys
from pathlib import Path
from urllib.parse import parse_qs

import pytest

from softres.tracking import Chart, TrackingOptions, charts_link, open_store, ui_command


def test_command_is_ready_to_paste(monkeypatch, tmp_path):
    """It is short: a store is named from here, and only where it is not the default one."""
    (tmp_path / "my results").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent))
    start = ["softres"] if shutil.which("softres") else [sys.executable, "-m", "softres"]
    elsewhere = tmp_path.parent / "other"
    for options, words in (
        (TrackingOptions(), []),
        (TrackingOptions(folder=str(tmp_path / "results")), []),
        (TrackingOptions(folder=str(tmp_path / "my results")), ["--folder", "my results"]),
        (
            TrackingOptions(folder=str(elsewhere), port=5001),
            ["--folder", str(elsewhere), "--port", "5001"],
        ),
        (
            TrackingOptions(uri=f"sqlite:///{elsewhere}/a.db"),
            ["--tracking-uri", f"sqlite:///{elsewhere}/a.db"],
        ),
    ):
        assert shlex.split(ui_command(options)) == [*start, "ui", *words]
    monkeypatch.setenv("PATH", str(tmp_path))  # as another environment's would be
    assert shlex.split(ui_command(TrackingOptions()))[:3] == [sys.executable, "-m", "softres"]


def test_server_needs_no_command():
    options = TrackingOptions(uri="https://runs.example.org")
    assert ui_command(options) == ""
    assert charts_link(options, "3", None).startswith("https://runs.example.org/#/experiments/3/")


@pytest.mark.parametrize("sweep", ["2026-01-02 n & d", None])
def test_link_opens_a_page_that_is_there(options, client, sweep):
    store = open_store(TrackingOptions(folder=options.folder, experiment="study", sweep=sweep))
    store.save_charts([Chart("loss"), Chart("loss", x="passes")], group_by=["solver", "n"])
    link = charts_link(options, store.experiment_id, sweep)
    base, _, query = link.partition("?")
    assert base == f"http://127.0.0.1:5000/#/experiments/{store.experiment_id}/runs"
    words = parse_qs(query)
    assert words["workflowType"] == ["machine_learning"]
    assert words["compareRunsMode"] == ["CHART"]
    (key,) = words["viewStateShareKey"]
    tags = client.get_experiment(store.experiment_id).tags
    page = json.loads(tags[f"mlflow.sharedViewState.{key}"])
    if sweep is None:
        page = json.loads(page["state"])
        assert "searchFilter" not in page
    else:
        with store.start_run("a member", {}, {}) as member:
            pass
        (found,) = client.search_runs([store.experiment_id], page["searchFilter"])
        assert found.info.run_id == member.run_id
    assert [chart["metricKey"] for chart in page["compareRunCharts"]] == ["loss", "loss"]
    assert [chart["xAxisKey"] for chart in page["compareRunCharts"]] == ["step", "metric"]
    grouping = page["groupBy"]["groupByKeys"]
    assert [entry["groupByData"] for entry in grouping] == ["solver", "n"]


def test_points_are_hidden_where_they_are_no_iterates(store, client):
    store.save_charts()
    tag = client.get_experiment(store.experiment_id).tags["mlflow.sharedViewState.softres"]
    for chart in json.loads(json.loads(tag)["state"])["compareRunCharts"]:
        assert ("displayPoints" in chart) == chart["metricKey"].endswith("_by_microseconds")


def test_charts_fit_into_a_tag(store, client):
    charts = [Chart(f"metric_{number}") for number in range(20)]
    store.save_charts(charts, group_by=[])
    store.save_charts(charts, group_by=[])
    assert len(client.get_experiment(store.experiment_id).tags) == 2
