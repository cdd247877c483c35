import math
import time
from pathlib import Path

import pandas as pd
import pytest

from softres.tracking import open_store


def history(client, run, name):
    return sorted(client.get_metric_history(run.run_id, name), key=lambda metric: metric.step)


def artifact(client, run, name):
    return Path(client.download_artifacts(run.run_id, name))


def long_trace(rows=1000):
    return pd.DataFrame(
        {
            "step": range(rows),
            "solve_seconds": [0.25 * k for k in range(rows)],
            "loss": [1.0 / (1 + k) for k in range(rows)],
            "sparse": [float(k) if k % 100 == 0 else math.nan for k in range(rows)],
        }
    )


def test_run_that_ends_well(store, client):
    before = time.time()
    params, tags = {"n": 1000, "solver": "exact_newton"}, {"commit": "abc", "dirty": False}
    with store.start_run("exact_newton n=1000", params, tags) as run:
        run.tags({"status": "converged"})
        run.metrics({"final_loss": 2.5, "bad": math.nan, "worse": math.inf}, step=7, seconds=1.5)
        assert client.get_run(run.run_id).info.status == "RUNNING"
    stored = client.get_run(run.run_id)
    assert stored.info.status == "FINISHED"
    assert stored.info.run_name == "exact_newton n=1000"
    assert stored.data.params == {"n": "1000", "solver": "exact_newton"}
    assert stored.data.metrics == {"final_loss": 2.5}
    wanted = {"status": "converged", "commit": "abc", "dirty": "False", "sweep": "a sweep"}
    assert wanted.items() <= stored.data.tags.items()
    assert {"host", "pid", "process_start"} <= stored.data.tags.keys()
    assert 1e3 * before - 1 <= stored.info.start_time <= stored.info.end_time <= 1e3 * time.time()
    (point,) = history(client, run, "final_loss")
    assert (point.step, point.timestamp) == (7, run.start + 1500)


def fail_with(error):
    raise error


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (ValueError("first line\nsecond line"), "FAILED"),
        (KeyboardInterrupt(), "KILLED"),
        (SystemExit(143), "KILLED"),
    ],
)
def test_run_that_ends_badly(store, client, error, status):
    with pytest.raises(type(error)), store.start_run("a run", {}, {}) as run:
        fail_with(error)
    stored = client.get_run(run.run_id)
    assert stored.info.status == status
    assert stored.info.end_time >= stored.info.start_time
    if status == "FAILED":
        assert stored.data.tags["error"] == "ValueError: first line"
        text = artifact(client, run, "error.txt").read_text()
        assert text.startswith("Traceback")
        assert "fail_with(error)" in text
    else:
        assert stored.data.tags["error"].startswith(type(error).__name__)


def test_error_of_the_run_is_not_hidden_by_an_error_of_the_store(store, client):
    def deleted_and_failed():
        with store.start_run("a run", {}, {}) as run:
            client.delete_run(run.run_id)  # a store takes no tags for a deleted run
            fail_with(RuntimeError("the cause"))

    with pytest.raises(RuntimeError, match="the cause") as caught:
        deleted_and_failed()
    assert "could not be recorded" in caught.value.__notes__[0]


def test_curves_are_thinned_and_carry_solve_time(store, client):
    trace = long_trace()
    with store.start_run("a run", {}, {}) as run:
        run.curves(trace, seconds="solve_seconds", step="step", columns=["loss", "sparse"])
    points = history(client, run, "loss")
    assert 160 <= len(points) <= 320
    assert (points[0].step, points[-1].step) == (0, 999)
    for point in points:
        assert type(point.step) is int
        assert point.timestamp == run.start + 250 * point.step
        assert point.value == 1.0 / (1 + point.step)
    assert [point.step for point in history(client, run, "sparse")] == list(range(0, 1000, 100))


def test_curves_over_solve_time(store, client):
    with store.start_run("a run", {}, {}) as run:
        columns = {"seconds": "solve_seconds", "step": "step", "columns": ["loss"]}
        run.curves(long_trace(), **columns, by_time=["loss"])
    points = history(client, run, "loss_by_microseconds")
    assert len(points) <= 320
    assert (points[0].value, points[-1].value) == (1.0, 1.0 / 1000)
    for point in points:
        assert point.timestamp == run.start + round(point.step / 1000)
        row = min(999, point.step // 250_000)
        assert point.value == 1.0 / (1 + row)


def test_curves_sent_while_a_run_goes_on(store, client):
    trace = long_trace()
    columns = {"seconds": "solve_seconds", "step": "step", "columns": ["loss"]}
    with store.start_run("a run", {}, {}) as run:
        run.curves(trace[:300], **columns, final=False)
        first = {point.step for point in history(client, run, "loss")}
        assert 100 <= len(first) < 320
        run.curves(trace[:600], **columns, final=False)
        run.curves(trace, **columns)
        run.curves(trace, **columns)
    steps = [point.step for point in history(client, run, "loss")]
    assert first < set(steps)
    assert len(steps) == len(set(steps))
    assert len(steps) <= 320
    assert (steps[0], steps[-1]) == (0, 999)


def test_plain_columns_do_as_well(store, client):
    with store.start_run("a run", {}, {}) as run:
        table = {"t": [0.0, math.nan, 2.0], "k": [0.0, 1.0, 2.0], "v": [1, 2, 3]}
        run.curves(table, seconds="t", step="k", columns=["v"])
        run.table(table)
    assert [(p.step, p.value) for p in history(client, run, "v")] == [(0, 1.0), (2, 3.0)]
    kept = pd.read_parquet(artifact(client, run, "trace.parquet"))
    assert kept["v"].tolist() == [1, 2, 3]


def test_files(store, client):
    trace = long_trace()
    with store.start_run("a run", {}, {}) as run:
        run.table(trace)
        run.text("config.yaml", "eps: 1e-10  # ε\n")
    pd.testing.assert_frame_equal(pd.read_parquet(artifact(client, run, "trace.parquet")), trace)
    assert artifact(client, run, "config.yaml").read_text(encoding="utf-8") == "eps: 1e-10  # ε\n"


def test_calls_that_would_break_a_store(store):
    table = {"t": [0.0], "k": [0.5], "loss": [1.0], "a[0]": [1.0]}
    with store.start_run("a run", {}, {}) as run:
        with pytest.raises(ValueError, match="whole number"):
            run.curves(table, seconds="t", step="k", columns=["loss"])
        with pytest.raises(ValueError, match="whole number"):
            run.metrics({"loss": 1.0}, step=1.5)
        with pytest.raises(ValueError, match=r"metric name 'a\[0\]"):
            run.curves(table, seconds="t", step="k", columns=["a[0]"])
        with pytest.raises(ValueError, match="metric name 'a=b'"):
            run.metrics({"a=b": 1.0})
        with pytest.raises(KeyError):
            run.curves(table, seconds="t", step="missing", columns=["loss"])
        with pytest.raises(ValueError, match="file name"):
            run.text("../config.yaml", "")


def test_long_values_are_cut_visibly(store, client):
    params = {f"p{i}": i for i in range(250)} | {"long": "x" * 7000, "fits": "y" * 5999}
    with store.start_run("a run", params, {"long": "x" * 9000}) as run:
        pass
    stored = client.get_run(run.run_id).data
    assert len(stored.params) == 252
    assert len(stored.params["long"]) == 5999
    assert stored.params["long"].endswith("x ... (cut)")
    assert stored.params["fits"] == "y" * 5999
    assert len(stored.tags["long"]) == 7999
    assert stored.tags["long"].endswith("x ... (cut)")


def test_parameters_that_no_store_takes_end_the_run(store, client):
    from mlflow.exceptions import MlflowException

    with pytest.raises(MlflowException), store.start_run("a run", {"a[0]": 1}, {}):
        pass
    (run,) = client.search_runs([store.experiment_id])
    assert run.info.status == "FAILED"


@pytest.mark.parametrize("switch", ["true", "false"])
def test_mlflows_switch_records_the_load_of_the_machine(options, client, monkeypatch, switch):
    monkeypatch.setenv("MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING", switch)
    monkeypatch.setenv("MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL", "0.05")
    with open_store(options, patient=True).start_run("a run", {}, {}) as run:
        time.sleep(0.4)
    loads = [name for name in client.get_run(run.run_id).data.metrics if name.startswith("system/")]
    assert bool(loads) == (switch == "true")
