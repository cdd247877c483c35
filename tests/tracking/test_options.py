import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from softres.common.errors import InputError
from softres.tracking import TrackingOptions, open_store
from softres.tracking.options import _is_supported, take_credentials


@pytest.mark.parametrize(
    "wrong",
    [
        {"uri": "mlruns"},
        {"uri": "file:///tmp/runs"},
        {"uri": "postgresql://host/db"},
        {"uri": "sqlite://"},
        {"uri": "sqlite:///:memory:"},
        {"uri": "http://"},
        {"folder": " "},
        {"experiment": ""},
        {"experiment": "it's"},
        {"sweep": "a\nb"},
        {"sweep": " "},
        {"port": 0},
        {"port": 65536},
        {"port": True},
    ],
)
def test_wrong_values_name_the_key_and_the_value(wrong):
    ((key, value),) = wrong.items()
    with pytest.raises(InputError) as caught:
        TrackingOptions(**wrong)
    assert f"tracking.{key}={value!r}" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_relative_store_becomes_absolute(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert TrackingOptions().absolute_uri == f"sqlite:///{tmp_path}/results/mlflow.db"
    relative = TrackingOptions(uri="sqlite:///here/runs.db", folder="out")
    assert relative.absolute_uri == f"sqlite:///{tmp_path}/here/runs.db"
    assert relative.artifact_location == f"file://{tmp_path}/out/artifacts"


@pytest.mark.parametrize("path", ["C:\\\\runs\\\\mlflow.db", "C:/runs/mlflow.db", "runs/mlflow.db"])
def test_a_path_may_begin_with_a_drive_where_there_are_drives(path):
    assert _is_supported(f"sqlite:///{path}", drives=True)
    assert _is_supported(f"sqlite:///{path}", drives=False) is (":" not in path)
    assert not _is_supported("sqlite:///:memory:", drives=True)
    assert not _is_supported("sqlite:///CC:/runs", drives=True)


def test_server_decides_where_artifacts_are():
    options = TrackingOptions(uri="http://127.0.0.1:5000/")
    assert options.absolute_uri == "http://127.0.0.1:5000"
    assert options.database is None
    assert options.artifact_location is None


def test_untracked_runs_never_import_mlflow_and_write_nothing(tmp_path):
    code = """
import sys
from softres.tracking import TrackingOptions, open_store
store = open_store(TrackingOptions(enabled=False))
assert store.find_finished("abc") == []
with store.start_run("name", {"n": 1}, {}) as run:
    run.curves({"t": [0.0], "k": [0], "v": [1.0]}, seconds="t", step="k", columns=["v"])
    run.metrics({"v": 1.0})
    run.table({"v": [1.0]})
    run.text("a.txt", "a")
    run.tags({"status": "converged"})
store.save_charts()
assert not {"mlflow", "pandas", "torch"} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)
    assert list(tmp_path.iterdir()) == []


def test_store_in_a_file_of_another_kind_is_an_input_error(tmp_path):
    (tmp_path / "mlflow.db").write_text("not a database, but not empty either " * 100)
    with pytest.raises(InputError, match="is no SQLite database"):
        open_store(TrackingOptions(folder=str(tmp_path)))


def test_folder_that_cannot_be_made_is_an_input_error(tmp_path):
    Path(tmp_path / "file").touch()
    with pytest.raises(InputError, match="cannot be created"):
        open_store(TrackingOptions(folder=str(tmp_path / "file" / "results")))


def test_absent_server_is_an_input_error_at_once():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    with pytest.raises(InputError, match="no server answers"):
        open_store(TrackingOptions(uri=f"http://127.0.0.1:{port}"))


def test_deleted_experiment_is_an_input_error(options, store, client):
    client.delete_experiment(store.experiment_id)
    with pytest.raises(InputError, match="was deleted"):
        open_store(options)


def test_a_folder_that_cannot_be_written_is_an_input_error_before_a_run_begins(
    tmp_path, monkeypatch
):
    (tmp_path / "file").touch()
    for folder in (tmp_path / "file", tmp_path / "file" / "results"):
        with pytest.raises(InputError, match=r"tracking\.folder=.*: (File exists|Not a directory)"):
            open_store(TrackingOptions(folder=str(folder)), patient=True)
    monkeypatch.setattr("os.access", lambda *_: False)  # root may write what others may not
    with pytest.raises(InputError, match=r"tracking\.folder=.*: it cannot be written"):
        open_store(TrackingOptions(folder=str(tmp_path)), patient=True)


def test_it_is_said_what_mlflows_variables_chose(monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "https://me:secret@runs.example.org")
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "")  # what the address sets is undone
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", "")
    chosen = TrackingOptions(uri="https://me:secret@runs.example.org", experiment="mine")
    assert chosen.from_environment == (
        "tracking.uri=https://runs.example.org (MLFLOW_TRACKING_URI)"
    )
    assert TrackingOptions(experiment="mine").from_environment == ""
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "mine")
    assert TrackingOptions(experiment="mine").from_environment == (
        "tracking.experiment=mine (MLFLOW_EXPERIMENT_NAME)"
    )


@pytest.mark.parametrize(
    ("given", "clean", "user", "password"),
    [
        ("https://u:p@host:5000", "https://host:5000", "u", "p"),
        ("https://u:p/q r(s\"t'@host/x", "https://host/x", "u", "p/q r(s\"t'"),
        ("https://u:p@q:r@host", "https://host", "u", "p@q:r"),
        ("https://u:12/3@host", "https://host", "u", "12/3"),
        ("https://u@host", "https://host", "u", ""),
        ("https://u:p%40q@host", "https://host", "u", "p@q"),
        ("tracking.uri=https://u:p@a,https://v:q@b", "tracking.uri=https://a,https://b", "v", "q"),
        ("https://host:5000/x", "https://host:5000/x", None, None),
        ("sqlite:////a:b@c/d.db", "sqlite:////a:b@c/d.db", None, None),
    ],
)
def test_credentials_move_whole_to_the_environment(monkeypatch, given, clean, user, password):
    for name in ("MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD"):
        monkeypatch.setenv(name, "none")
        monkeypatch.delenv(name)
    assert take_credentials(given) == clean
    assert os.environ.get("MLFLOW_TRACKING_USERNAME") == user
    assert os.environ.get("MLFLOW_TRACKING_PASSWORD") == password


def test_the_home_folder_is_known_everywhere_or_a_line_says_so(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert TrackingOptions(folder="~/r").database == tmp_path / "r" / "mlflow.db"
    assert TrackingOptions(uri="sqlite:///~/m.db").database == tmp_path / "m.db"
    with pytest.raises(InputError, match=r"tracking\.folder=~nobody.*: no home folder"):
        TrackingOptions(folder="~nobody-of-that-name/r")
