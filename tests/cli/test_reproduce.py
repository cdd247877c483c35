"""scripts/reproduce.py: what it repeats, how it compares, and what it refuses."""

from __future__ import annotations

import os
import re
import runpy
import shutil
import sqlite3
import warnings
from pathlib import Path

import pandas as pd
import pytest
import yaml
from hydra import compose, initialize_config_dir

from softres.config.choices import register
from softres.config.settings import settings
from softres.harness.job import JobContext, run_job

ROOT = Path(__file__).parents[2]
SMALL = ("n=80", "d=5", "max_steps=3000")
RUNS = {
    "exact": ("solver=exact_newton",),
    "sampled": ("solver=approx_newton", "solver.rows=60", "seed=3"),
    "timed": ("solver=gradient_descent", "time_limit=1e-9", "weights=none"),
    "timed later": ("solver=gradient_descent", "time_limit=0.003", "data.condition=1e6"),
}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Record each of the runs; return the folder of their store."""
    folder = tmp_path_factory.mktemp("made")
    register()
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of MLflow's own tables
        patch.setenv("SOFTRES_CACHE", str(folder / "cache"))
        for name, words in RUNS.items():
            where = f"tracking.folder={folder / 'results'}"
            with initialize_config_dir(version_base="1.3", config_dir=str(ROOT / "conf")):
                job = settings(compose("config", overrides=[*SMALL, *words, where]))
            context = JobContext(folder / name, 0, name, (), "serial", single=True)
            assert run_job(job, context).ok
    return folder


class Made:
    """The store of the runs, in which a test may change what was kept."""

    def __init__(self, folder):
        from mlflow.tracking import MlflowClient

        self.folder = folder
        self.client = MlflowClient(tracking_uri=f"sqlite:///{folder / 'results' / 'mlflow.db'}")
        runs = self.client.search_runs(["1"])
        self.ids = {run.data.tags["sweep"]: run.info.run_id for run in runs}

    def artifact(self, name, file):
        return self.folder / "results" / "artifacts" / self.ids[name] / "artifacts" / file

    def change_trace(self, name, change):
        path = self.artifact(name, "trace.parquet")
        trace = pd.read_parquet(path)
        change(trace)
        trace.to_parquet(path)

    def change_config(self, name, change):
        path = self.artifact(name, "config.yaml")
        tree = yaml.safe_load(path.read_text(encoding="utf-8"))
        change(tree)
        path.write_text(yaml.safe_dump(tree), encoding="utf-8")


@pytest.fixture
def store(made, monkeypatch):
    """The store as it was made; what a test changes is put back."""
    artifacts, copy = made / "results" / "artifacts", made / "as it was"
    shutil.copytree(artifacts, copy)
    monkeypatch.setenv("SOFTRES_CACHE", str(made / "cache"))
    store = Made(made)
    tags = {run_id: store.client.get_run(run_id).data.tags for run_id in store.ids.values()}
    yield store
    shutil.rmtree(artifacts)
    copy.rename(artifacts)
    for run_id, before in tags.items():
        for key, value in before.items():
            store.client.set_tag(run_id, key, value)


@pytest.fixture
def reproduce(monkeypatch, capsys, made, tmp_path):
    """Run the script in this process, from another folder; return its status and what it said."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments, folder=made / "results"):
        monkeypatch.setattr("sys.argv", ["reproduce.py", *arguments, "--folder", str(folder)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            runpy.run_path(str(ROOT / "scripts" / "reproduce.py"), run_name="__main__")
        said = capsys.readouterr()
        return ended.value.code, said.out.splitlines(), said.err

    return run


@pytest.mark.parametrize("name", ["exact", "sampled"])
def test_a_run_is_the_same_to_the_last_bit_on_the_same_machine(store, reproduce, name):
    status, said, _ = reproduce(store.ids[name][:12])
    rows = len(pd.read_parquet(store.artifact(name, "trace.parquet")))
    assert rows > 3
    assert (status, said[-1]) == (0, f"the same to the last bit: {rows} rows")
    assert not any("note" in line for line in said)


@pytest.mark.parametrize("name", ["timed", "timed later"])
def test_a_run_that_time_had_ended_takes_as_many_steps_again(store, reproduce, name):
    trace = pd.read_parquet(store.artifact(name, "trace.parquet"))
    assert store.client.get_run(store.ids[name]).data.tags["status"] == "time limit"
    status, said, _ = reproduce(store.ids[name])
    assert (status, said[-1]) == (0, f"the same to the last bit: {len(trace)} rows")


@pytest.mark.parametrize(
    ("elsewhere", "factor", "expected", "words"),
    [
        (False, 1 + 1e-9, 1, "NOT the same"),
        (True, 1 + 1e-9, 0, "the same to 1e-06"),
        (True, 1 + 1e-4, 1, "NOT the same"),
    ],
)
def test_a_difference_is_allowed_elsewhere_up_to_the_tolerance(
    store, reproduce, elsewhere, factor, expected, words
):
    if elsewhere:
        store.client.set_tag(store.ids["exact"], "cpu", "another one")

    def change(trace):
        trace["loss"] *= factor

    store.change_trace("exact", change)
    status, said, _ = reproduce(store.ids["exact"])
    assert (status, said[-1].split(":")[0]) == (expected, words)
    assert any("differs: loss by" in line for line in said)
    assert any("cpu was another one" in line for line in said) == elsewhere


def test_a_tolerance_can_be_chosen(store, reproduce):
    store.client.set_tag(store.ids["exact"], "host", "another one")

    def change(trace):
        trace["loss"] *= 1 + 1e-4

    store.change_trace("exact", change)
    assert reproduce(store.ids["exact"], "--tolerance", "1e-3")[0] == 0


def test_a_trace_without_numbers_is_not_the_same(store, reproduce):
    def change(trace):
        trace["loss"] = "none"

    store.change_trace("exact", change)
    assert reproduce(store.ids["exact"])[0] == 1


def test_a_folder_without_a_store_is_named(store, reproduce, tmp_path):
    status, _, error = reproduce(store.ids["exact"], folder=tmp_path / "none")
    assert status == 2
    assert error == f"softres: {tmp_path / 'none' / 'mlflow.db'}: no such store\n"


@pytest.mark.parametrize(
    ("run_id", "message"),
    [
        ("0123456789abcdef", "0123456789abcdef: no run of that id in sqlite:"),
        ("typo", "typo: a run's id has 32 digits"),
        ("ab", "ab: a run's id has 32 digits"),
    ],
)
def test_an_id_that_is_none_is_named(store, reproduce, run_id, message):
    status, said, error = reproduce(run_id)
    assert (status, said) == (2, [])
    assert re.fullmatch(rf"softres: {message}.*\n", error)


def planted(tree):
    tree["solver"]["_target_"] = "os.system"


def pointing(tree):
    tree["data"]["path"] = "${oc.env:HOME}"


def renamed(tree):
    tree["solver"]["name"] = "os.system"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (planted, r"config\.yaml: solver\._target_: no such key"),
        (pointing, r"config\.yaml: data\.path: a kept value refers to nothing else"),
        (renamed, r"solver=os\.system: allowed are"),
    ],
)
def test_a_configuration_that_was_tampered_with_is_refused(store, reproduce, change, message):
    store.change_config("exact", change)
    status, said, error = reproduce(store.ids["exact"])
    assert (status, said) == (2, [])
    assert re.fullmatch(rf"softres: {message}.*\n", error)


@pytest.mark.parametrize(
    ("change", "shown"),
    [
        ({"backend": {"name": "dask", "address": "tcp://192.0.2.1:8786"}}, "backend.address=tcp:"),
        ({"data": {"name": "file", "path": "secrets.npz"}}, "data.path=secrets.npz"),
        (
            {"data": {"name": "file", "path": "t.csv", "w": "\x1b[2J"}},
            r"data.path=t.csv, data.w=\x1b[",
        ),
        ({"data": {"name": "streamed", "path": "/dev/zero"}}, "data.path=/dev/zero"),
        ({"n": 400_000}, "n=400000"),
        ({"n": 90_000, "d": 5_000}, "n d=90000 x 5000"),
        ({"max_steps": 10**9}, "max_steps=1000000000"),
        ({"time_limit": 1e9}, "time_limit=1000000000.0"),
    ],
)
def test_what_a_store_asks_for_beyond_computing_needs_a_yes(
    store, reproduce, offline, change, shown
):
    def apply(tree):
        for key, value in change.items():
            tree[key] = {**tree[key], **value} if isinstance(value, dict) else value

    store.change_config("exact", apply)
    status, said, error = reproduce(store.ids["exact"])
    assert (status, said) == (2, [])
    assert f"config.yaml: would use {shown}" in error
    assert "--trust allows" in error
    assert error.count("\n") == 1


def test_a_yes_or_a_value_of_the_users_goes_on(store, reproduce, tmp_path):
    store.change_config("exact", lambda tree: tree.update(max_steps=10**6))
    run = store.ids["exact"]
    assert reproduce(run)[0] == 2
    assert reproduce(run, "--trust")[0] == 0
    assert reproduce(run, "--set", "max_steps=3000")[0] == 0
    status, _, error = reproduce(run, "--set", "backend.adress=x")
    assert (status, error) == (2, "softres: --set backend.adress: the run has no such key\n")
    assert "allowed is KEY=VALUE" in reproduce(run, "--set", "n")[2]


BILLION = "a: &a [1, 2]\n" + "".join(
    f"{chr(98 + k)}: &{chr(98 + k)} [{', '.join(['*' + chr(97 + k)] * 9)}]\n" for k in range(9)
)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (BILLION, "its values refer to one another"),
        ("n: &a [*a]\n", "refer to one another"),
        ("[" * 3000 + "]" * 3000, "more than 20 deep"),
        ("{a: " * 3000 + "1" + "}" * 3000, "more than 20 deep"),
        ("n: " + "9" * 10_000, "no YAML"),
        ("# " + "x" * (1 << 19), "has 524290 bytes, and may have"),
        ("n: !!python/name:os.system", "no YAML"),
    ],
)
def test_a_configuration_that_is_a_trap_ends_in_a_line(store, reproduce, text, message):
    store.artifact("exact", "config.yaml").write_text(text, encoding="utf-8")
    status, said, error = reproduce(store.ids["exact"])
    assert (status, said) == (2, [])
    assert re.fullmatch(rf"softres: config\.yaml: .*{message}.*\n", error)


@pytest.mark.parametrize("file", ["config.yaml", "trace.parquet"])
@pytest.mark.parametrize("kind", ["pipe", "device"])
def test_a_file_without_an_end_is_not_opened(store, reproduce, file, kind):
    path = store.artifact("exact", file)
    path.unlink()
    if kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to("/dev/zero")
    status, _, error = reproduce(store.ids["exact"])
    assert status == 2
    assert re.fullmatch(rf"softres: {re.escape(file)}: .*must be a file, and is a pipe.*\n", error)


def test_names_from_a_store_are_shown_and_not_obeyed(store, reproduce):
    forged = "run\x1b[2J\nthe same to the last bit: 7 rows\u202e"
    run = store.ids["exact"]
    store.client.set_tag(run, "command", forged)
    store.client.set_tag(run, "commit", "\x9b31m")
    store.change_trace("exact", lambda trace: trace.__setitem__("loss", 0.0))
    status, said, error = reproduce(run)
    assert status == 1
    assert said[-1].startswith("NOT the same")
    assert not any(line.startswith("the same") for line in said)
    everything = "".join(said) + error
    assert everything.isprintable()
    assert r"run\x1b[2J\nthe same" in everything


@pytest.mark.parametrize("place", ["http://192.0.2.1/x", "s3://bucket/x", "ftp://192.0.2.1/x"])
def test_files_are_not_fetched_from_where_a_store_says(store, reproduce, made, offline, place):
    database = sqlite3.connect(made / "results" / "mlflow.db")
    query = "update runs set artifact_uri = ? where run_uuid = ?"
    ((before,),) = database.execute(
        "select artifact_uri from runs where run_uuid = ?", [store.ids["exact"]]
    )
    with database:
        database.execute(query, [place, store.ids["exact"]])
    try:
        status, _, error = reproduce(store.ids["exact"])
    finally:
        with database:
            database.execute(query, [before, store.ids["exact"]])
        database.close()
    assert status == 2
    assert "nothing is fetched from where a store says" in error


def test_a_store_that_was_moved_has_its_files_beside_it(store, reproduce, made, tmp_path):
    moved = tmp_path / "elsewhere"
    shutil.copytree(made / "results", moved)
    (made / "results").rename(made / "hidden")
    try:
        status, said, _ = reproduce(store.ids["exact"], folder=moved)
    finally:
        (made / "hidden").rename(made / "results")
    assert status == 0
    assert said[-1].startswith("the same to the last bit")


@pytest.mark.parametrize("file", ["config.yaml", "trace.parquet"])
@pytest.mark.parametrize("damage", ["gone", "cut off"])
def test_a_file_that_is_damaged_is_named(store, reproduce, file, damage):
    path = store.artifact("exact", file)
    if damage == "gone":
        path.unlink()
    else:
        path.write_bytes(b"\xff\xfe[")
    status, _, error = reproduce(store.ids["exact"])
    assert status == 2
    assert re.fullmatch(rf"softres: .*{re.escape(file)}.*\n", error)


def test_a_run_that_did_not_finish_is_not_repeated(store, reproduce):
    store.client.delete_tag(store.ids["exact"], "status")
    status, said, error = reproduce(store.ids["exact"])
    assert (status, said) == (2, [])
    assert "did not run to its end" in error
