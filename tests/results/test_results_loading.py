"""Runs of a store as typed tables."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd
import pytest

from softres.common.errors import InputError
from softres.results import load
from softres.results.artifacts import TRACE, TraceReader
from softres.results.columns import Record, swept_keys, typed
from softres.results.store import ResultStore
from softres.tracking import TrackingOptions
from softres.tracking.sweeps import in_sweep


def test_a_sweep_is_loaded_by_last_its_name_and_its_beginning(store, runs):
    assert len(runs) == 8
    for name in ("tiny sweep", "tiny", ["tiny", "last"]):
        assert list(load(sweep=name, store=store)) == list(runs)
    assert list(load(store=store)) == list(runs)
    assert list(load(sweep="last", store=f"sqlite:///{store}/mlflow.db")) == list(runs)


def test_numbers_are_numbers_and_booleans_are_booleans(runs):
    kinds = runs.table.dtypes
    assert kinds["n"] == kinds["seed"] == kinds["max_steps"] == "int64"
    assert kinds["R"] == kinds["eps"] == kinds["weights.value"] == kinds["steps"] == "float64"
    assert kinds["timing_valid"] == kinds["forced"] == "bool"
    assert set(runs.table["solver"]) == {"exact_newton", "gradient_descent"}
    assert runs.table["time_limit"].isna().all()


def test_what_only_follows_a_choice_was_not_swept(runs):
    assert runs.table["max_steps"].nunique() == 1
    options = [key for key in runs.params if key.startswith("solver.")]
    assert any(runs.table[key].nunique(dropna=False) > 1 for key in options)
    assert runs.swept == ("solver", "n", "seed")


def test_a_key_that_the_command_line_set_was_swept_even_if_it_follows():
    table = pd.DataFrame({"solver": ["a", "b"], "n": [10, 20]})
    assert swept_keys(table, ["solver", "n"]) == ("solver",)
    asked = table.assign(overrides=["solver=a n=10", "solver=b n=20"])
    assert swept_keys(asked, ["solver", "n"]) == ("solver", "n")


@pytest.mark.parametrize(
    ("texts", "values"),
    [
        (["1", "20"], [1, 20]),
        (["1e-3", "2"], [1e-3, 2.0]),
        (["True", "false"], [True, False]),
        (["exact", "1"], ["exact", "1"]),
        (["None", "x"], [None, "x"]),
    ],
)
def test_a_column_has_the_type_that_all_its_texts_have(texts, values):
    assert typed(texts).tolist() == values


def test_a_missing_number_leaves_a_column_of_numbers():
    column = typed(["1", "None"])
    assert column.dtype == float
    assert column.isna().tolist() == [False, True]


def test_traces_have_one_row_a_step(runs):
    counts = runs.traces.groupby("run").size()
    steps = runs.table.set_index("run")["steps"]
    assert (counts[steps.index] == steps + 1).all()
    assert {"solve_seconds", "passes", "relative_error_l2", "error_H", "loss"} <= set(runs.traces)


def test_reading_leaves_no_file_behind(store, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert len(load(sweep="last", store=store).traces) > 8
    assert list(tmp_path.iterdir()) == []


def test_select_takes_values_and_lists_and_returns_runs(runs):
    part = runs.select(solver="exact_newton", n=[60, 240])
    assert len(part) == 4
    assert part.swept == ("n", "seed")
    assert set(part.traces["run"]) == set(part)
    assert len(runs.select(**{"weights.value": 0.01})) == len(runs.select(weights__value=0.01)) == 8


@pytest.mark.parametrize(
    ("values", "words"),
    [({"solvr": "exact_newton"}, "solver"), ({"n": 61}, "none of 8 runs")],
)
def test_a_selection_of_nothing_is_one_line(runs, values, words):
    with pytest.raises(InputError, match=words):
        runs.select(**values)


def test_a_filter_is_in_the_words_of_mlflow(store, runs):
    found = load(where="params.solver = 'exact_newton'", store=store)
    assert list(found) == list(runs.select(solver="exact_newton"))
    both = load(sweep="last", where="metrics.steps > 10", store=store)
    assert set(both.table["solver"]) == {"gradient_descent"}
    with pytest.raises(InputError, match="where="):
        load(where="params.solver is fast", store=store)


def test_mlflow_and_the_direct_way_read_the_same(store):
    opened = ResultStore(TrackingOptions(folder=str(store)))
    direct = opened.records(["tiny sweep"], None)
    through = opened.records(["tiny sweep"], "attributes.status = 'FINISHED'")
    assert [record.run for record in direct] == [record.run for record in through]
    for one, other in zip(direct, through, strict=True):
        assert one.params == other.params
        assert one.tags == other.tags
        assert one.metrics == other.metrics
        assert (one.name, one.state, one.start) == (other.name, other.state, other.start)
        assert (one.experiment, one.artifacts) == (other.experiment, other.artifacts)


def test_a_store_that_was_moved_finds_its_files(copied, change, runs):
    change(copied, "update runs set artifact_uri = replace(artifact_uri, '/results/', '/gone/')")
    moved = load(sweep="last", store=copied)
    assert moved.untraced == []
    pd.testing.assert_frame_equal(moved.traces, runs.traces)


def test_a_run_without_files_is_named(copied, change):
    change(copied, "update runs set artifact_uri = 'file:///gone/artifacts' where name like 'e%0'")
    part = load(sweep="last", store=copied)
    assert part.untraced == ["exact_newton n=60 d=3 seed=0", "exact_newton n=240 d=3 seed=0"]
    assert len(set(part.traces["run"])) == 6


def test_files_of_a_server_are_fetched_and_not_kept(runs, store, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    names = list(runs)[:3]
    records = [
        Record(name, name, "FINISHED", 0, "", f"mlflow-artifacts:/1/{name}/artifacts")
        for name in names
    ]

    def fetch(run, name, folder):
        """Do what a server's client does: copy into the folder, fail where there is no file."""
        if run == names[2]:
            raise FileNotFoundError(name)
        return Path(shutil.copy(store / "artifacts" / run / "artifacts" / name, folder))

    reader = TraceReader(records, [], fetch)
    assert set(reader(names)["run"]) == set(names[:2])
    assert reader.without(names) == names[2:]
    assert list(tmp_path.iterdir()) == []


def test_of_runs_of_one_key_the_latest_finished_counts(copied, change, runs):
    first = runs.table["run"].iloc[0]
    twin = runs.table["run"].iloc[-1]
    key = runs.table["key"].iloc[0]
    change(copied, "update tags set value = ? where key = 'key' and run_uuid = ?", key, twin)
    kept = load(sweep="last", store=copied)
    assert len(kept) == 7
    assert first not in list(kept)
    assert kept.notes == ["1 run left out for a later one of the same configuration"]
    assert len(load(sweep="last", store=copied, repeats=True)) == 8
    change(copied, "update runs set status = 'FAILED' where run_uuid = ?", twin)
    assert first in list(load(sweep="last", store=copied))


def test_runs_that_a_later_sweep_skipped_are_among_its_own(copied, change, runs):
    (tag,) = in_sweep("later").items()
    for run in list(runs)[:3]:
        change(copied, "insert into tags (run_uuid, key, value) values (?, ?, ?)", run, *tag)
    for name in ("later", "last"):
        assert list(load(sweep=name, store=copied)) == list(runs)[:3]
    assert len(load(sweep="tiny", store=copied)) == len(runs)
    opened = ResultStore(TrackingOptions(folder=str(copied)))
    assert opened.records(["later"], None) == opened.records(["later"], "metrics.steps > 0")
    assert "later" not in "".join(load(sweep="later", store=copied).table.columns)


def test_what_is_not_there_is_one_line(store, tmp_path):
    with pytest.raises(InputError, match="no such store"):
        load(store=tmp_path)
    with pytest.raises(InputError, match=r"no such sweep; the store has.*tiny sweep"):
        load(sweep="other", store=store)
    with pytest.raises(InputError, match="no run matches"):
        load(where="params.n = '7'", store=store)


def test_runs_describe_themselves(runs):
    assert repr(runs).startswith("8 runs: solver = exact_newton, gradient_descent; n = 60, 240")
    assert "4 converged, 4 step limit" in repr(runs)
    assert "<table" in runs._repr_html_()
    assert "converged" in runs._repr_html_()


def test_runs_that_shared_their_machine_have_no_times(copied, change, runs):
    assert len(runs.timed) == 8
    change(copied, "update tags set value = 'false' where key = 'timing_valid' and rowid % 2 = 0")
    part = load(sweep="last", store=copied)
    assert len(part.timed) == int(part.table["timing_valid"].sum()) < 8


def test_results_import_nothing_heavy_before_they_are_used():
    heavy = "{'numpy', 'pandas', 'seaborn', 'matplotlib', 'mlflow', 'scipy', 'hydra'}"
    code = f"import sys, softres; softres.results; print({heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_reading_a_file_store_does_not_import_mlflow(store):
    code = (
        "import sys, softres; "
        f"runs = softres.results.load(sweep='last', store={str(store)!r}); "
        "print(len(runs.traces) > 8, 'mlflow' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout.split(), done.stderr) == (["True", "False"], "")


@pytest.mark.slow
def test_a_server_gives_the_same_as_its_file(store, runs, tmp_path, monkeypatch):
    """The server has the files of the store too, under its own names."""
    from mlflow import MlflowClient

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    uri = f"http://127.0.0.1:{port}"
    words = ["--workers", "1", "--port", str(port), "--artifacts-destination", "files"]
    server = subprocess.Popen(
        [sys.executable, "-m", "mlflow", "server", *words, "--backend-store-uri", "sqlite:///a.db"],
        cwd=tmp_path,
        env=os.environ | {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(120):
            time.sleep(0.5)
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
        client = MlflowClient(uri)
        experiment = client.create_experiment("copied")
        for name in list(runs):
            row = runs.table.set_index("run").loc[name]
            copy = client.create_run(
                experiment, tags={"sweep": "tiny sweep", **in_sweep("tiny sweep")}
            ).info.run_id
            client.log_param(copy, "n", row["n"])
            client.log_artifact(copy, str(store / "artifacts" / name / "artifacts" / TRACE))
        kept = tmp_path / "kept"
        kept.mkdir()
        monkeypatch.setattr(tempfile, "tempdir", str(kept))
        found = load(sweep="last", store=uri)
        assert found.table["n"].tolist() == runs.table["n"].tolist()
        columns = ["step", "passes", "relative_error_l2"]
        pd.testing.assert_frame_equal(found.traces[columns], runs.traces[columns])
        assert list(kept.iterdir()) == []
        assert len(load(where="params.n = '60'", store=uri)) == 4
    finally:
        server.terminate()
        server.wait(30)
