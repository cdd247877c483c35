"""A real MLflow server that asks for a password: ``mlflow server --app-name basic-auth``."""

from __future__ import annotations

import re
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from mlflow.tracking import MlflowClient

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "scripts" / "stress"))

from common import audit, command, finish, stored_runs  # noqa: E402
from server import Server  # noqa: E402

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        find_spec("flask_wtf") is None, reason="no Flask-WTF here: pip install -e '.[auth]'"
    ),
]

USER, PASSWORD = "admin", "correct-h0rse/b@ttery"
QUOTED = "correct-h0rse%2Fb%40ttery"
RIGHT = {"MLFLOW_TRACKING_USERNAME": USER, "MLFLOW_TRACKING_PASSWORD": PASSWORD}
WRONG = {"MLFLOW_TRACKING_USERNAME": USER, "MLFLOW_TRACKING_PASSWORD": "wr0ng-s3cret"}
SWEEP = ("-m", "seed=0,1", "n=60", "d=4", "tracking=server")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("auth")
    (folder / "auth.ini").write_text(
        "[mlflow]\ndefault_permission = READ\n"
        f"database_uri = sqlite:///{folder / 'users.db'}\n"
        f"admin_username = {USER}\n"
        "authorization_function = mlflow.server.auth:authenticate_request_basic_auth\n",
        encoding="utf-8",
    )
    variables = {
        "MLFLOW_AUTH_CONFIG_PATH": str(folder / "auth.ini"),
        "MLFLOW_AUTH_ADMIN_PASSWORD": PASSWORD,
        "MLFLOW_FLASK_SERVER_SECRET_KEY": "of this test only",
    }
    with Server(folder, options=("--app-name", "basic-auth"), variables=variables) as running:
        yield running


@pytest.fixture(autouse=True)
def nobody(monkeypatch):
    for name in RIGHT:
        monkeypatch.delenv(name, raising=False)


def check_no_secret(folder, *texts):
    """Neither in what was printed nor in any file that was left behind."""
    secrets = (PASSWORD, QUOTED, WRONG["MLFLOW_TRACKING_PASSWORD"])
    files = (path.read_text(errors="replace") for path in folder.rglob("*") if path.is_file())
    for text in (*texts, *files):
        assert not any(secret in text for secret in secrets)


@pytest.mark.parametrize("where", ["environment", "address"])
def test_a_sweep_is_recorded_and_its_password_is_not(server, tmp_path, monkeypatch, where):
    uri, variables, experiment = server.uri, RIGHT, f"in the {where}"
    if where == "address":
        uri, variables = server.uri.replace("://", f"://{USER}:{QUOTED}@"), {}
    words = command(*SWEEP, f"tracking.uri={uri}", f"tracking.experiment={experiment}")
    sweep = finish(tmp_path, words, **variables)
    assert (sweep.returncode, sweep.stderr) == (0, "")
    for name, value in RIGHT.items():
        monkeypatch.setenv(name, value)
    found = audit(server.uri, experiment)
    assert (found.statuses, found.lost) == ({"FINISHED": 2}, 0)
    client = MlflowClient(tracking_uri=server.uri)
    runs = stored_runs(client, experiment)
    kept = [client.download_artifacts(run.info.run_id, "config.yaml") for run in runs]
    records = [str(run.to_dictionary()) for run in runs]
    texts = [Path(path).read_text(encoding="utf-8") for path in kept]
    check_no_secret(tmp_path, sweep.stdout, *records, *texts)
    assert all(run.data.tags["command"].startswith("python run.py seed=") for run in runs)
    again = [str(ROOT / "scripts" / "reproduce.py"), runs[0].info.run_id, "--tracking-uri", uri]
    repeated = finish(tmp_path, [sys.executable, *again], **variables)
    assert repeated.returncode == 0, repeated.stderr
    check_no_secret(tmp_path, repeated.stdout, repeated.stderr)


@pytest.mark.parametrize("more", [(), ("sweep.dry_run=true",)])
@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({}, r"asks for a user and a password; set MLFLOW_TRACKING_USERNAME and .*"),
        (WRONG, r"does not accept the user and password of MLFLOW_TRACKING_USERNAME and .*"),
    ],
)
def test_a_wrong_password_is_one_line_before_anything_starts(
    server, tmp_path, variables, message, more
):
    sweep = finish(tmp_path, command(*SWEEP, f"tracking.uri={server.uri}", *more), **variables)
    line = rf"softres: tracking\.uri={re.escape(server.uri)}: the server {message}\n"
    assert re.fullmatch(line, sweep.stderr)
    assert (sweep.returncode, sweep.stdout) == (2, "")
    assert not list(tmp_path.rglob("outcome.json"))
    check_no_secret(tmp_path, sweep.stderr)


def test_reproduce_says_in_a_line_that_it_is_not_let_in(server, tmp_path):
    words = [str(ROOT / "scripts" / "reproduce.py"), "abcd", "--tracking-uri", server.uri]
    refused = finish(tmp_path, [sys.executable, *words], **WRONG)
    assert refused.returncode == 2
    (line,) = refused.stderr.splitlines()
    assert "does not accept the user and password" in line
