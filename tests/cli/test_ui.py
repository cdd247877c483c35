"""softres ui: it starts MLflow's interface on a store, or says in one line why not."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from softres.cli.ui import ui_command
from softres.tracking import TrackingOptions, open_store

ROOT = Path(__file__).parents[2]


def free_port():
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_a_folder_without_a_store_is_named(tmp_path, capsys):
    assert ui_command(["--folder", str(tmp_path)]) == 2
    assert capsys.readouterr().err == f"softres: {tmp_path / 'mlflow.db'}: no such store\n"


def test_a_port_that_is_taken_is_named(tmp_path, capsys):
    (tmp_path / "mlflow.db").touch()
    with closing(socket.socket()) as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        assert ui_command(["--folder", str(tmp_path), "--port", str(port)]) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"softres: --port {port}: ")
    assert error.count("\n") == 1


def test_a_server_is_running_already(capsys):
    assert ui_command(["--tracking-uri", "http://somewhere:5000"]) == 0
    assert capsys.readouterr().out.startswith("http://somewhere:5000 is a server")


def test_an_address_that_is_none_is_one_line(capsys):
    assert ui_command(["--tracking-uri", "ftp://somewhere"]) == 2
    assert capsys.readouterr().err.startswith("softres: tracking.uri='ftp://somewhere': allowed")


@pytest.mark.slow
def test_the_interface_answers_until_it_is_ended(tmp_path):
    open_store(TrackingOptions(folder=str(tmp_path)))
    port = free_port()
    words = ["ui", "--folder", str(tmp_path), "--port", str(port)]
    with subprocess.Popen(
        [sys.executable, "-m", "softres", *words],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            assert process.stdout.readline() == f"http://127.0.0.1:{port} (Ctrl-C ends it)\n"
            for _ in range(600):
                try:
                    with urlopen(f"http://127.0.0.1:{port}/health", timeout=5) as answer:
                        assert answer.read() == b"OK"
                    break
                except (URLError, ConnectionError):
                    assert process.poll() is None
                    time.sleep(0.1)
            else:
                pytest.fail("no answer in a minute")
        finally:
            os.killpg(process.pid, signal.SIGINT)
            try:
                process.communicate(timeout=20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                raise
