"""A real MLflow server on a real PostgreSQL, killed while a sweep runs."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from postgres import postgres_database

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "scripts" / "stress"))

from common import audit, stored_runs  # noqa: E402
from server import Server  # noqa: E402

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def database():
    """The address of an empty PostgreSQL database."""
    with postgres_database() as address:
        yield address


@pytest.fixture
def server(database, tmp_path):
    with Server(tmp_path / "server", database) as running:
        yield running


def environment(folder):
    return {**os.environ, "SOFTRES_CACHE": str(folder / "cache"), "OMP_NUM_THREADS": "1"}


def command(server, *words):
    address = server.uri.replace("http://", "http://me:s3cret@")
    where = ("tracking=server", f"tracking.uri={address}")
    return [sys.executable, str(ROOT / "run.py"), "-m", *words, *where]


def start(folder, server, *words):
    with (folder / "out.txt").open("w") as out, (folder / "err.txt").open("w") as err:
        return subprocess.Popen(
            command(server, *words),
            cwd=folder,
            env={**environment(folder), "PYTHONUNBUFFERED": "1"},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
        )


def wait_for(condition, process):
    deadline = time.monotonic() + 120
    while not condition():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_sweep_survives_its_server_and_no_password_is_kept(server, tmp_path):
    sweep = start(tmp_path, server, "seed=range(8)", "n=20000", "d=30")
    done = tmp_path / "out.txt"
    wait_for(lambda: "converged after" in done.read_text(), sweep)
    server.kill()
    assert sweep.wait(timeout=120) == 0
    assert (tmp_path / "err.txt").read_text().count("softres: warning:") == 1
    waiting = list(tmp_path.glob("results/spool/*/run.json"))
    assert waiting
    server.start()
    synced = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "sync.py")],
        cwd=tmp_path,
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        check=False,
    )
    assert synced.returncode == 0, synced.stderr
    found = audit(server.uri)
    assert found.statuses == {"FINISHED": 8}
    assert (len(found.keys), found.twice, found.lost) == (8, 0, 0)
    assert found.points > 0

    from mlflow.tracking import MlflowClient

    client = MlflowClient(tracking_uri=server.uri)
    for run in stored_runs(client, "softres"):
        assert "s3cret" not in str(run.to_dictionary())
        kept = Path(client.download_artifacts(run.info.run_id, "config.yaml")).read_text()
        assert f"uri: {server.uri}" in kept
    for path in tmp_path.rglob("*"):
        if path.is_file() and path.suffix in (".yaml", ".json", ".txt", ".log"):
            assert "s3cret" not in path.read_text(errors="replace"), path
