"""An MLflow server for the stress scripts and the tests, on SQLite or on a database's address."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

__all__ = ["Server"]


class Server:
    """A server in a folder, which can be killed and started again on the same port.

    Parameters
    ----------
    folder
        Holds its artifacts, its log and, without `database`, its SQLite file.
    database
        Address of its database, such as ``postgresql+psycopg2://user@host/name``.
    options
        Further words of ``mlflow server``.
    variables
        Further variables of its environment.
    """

    def __init__(
        self,
        folder: Path,
        database: str | None = None,
        options: Sequence[str] = (),
        variables: Mapping[str, str] | None = None,
    ) -> None:
        self.folder = folder
        self.options = options
        self.variables = variables or {}
        self.database = database or f"sqlite:///{folder / 'server.db'}"
        self.port = _free_port()
        self.uri = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, timeout: float = 180.0) -> None:
        """Start the server and wait until it answers."""
        self.folder.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "mlflow", "server", "--workers", "1"]
        command += ["--backend-store-uri", self.database, "--port", str(self.port)]
        command += ["--artifacts-destination", (self.folder / "artifacts").as_uri()]
        command += self.options
        with (self.folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={
                    **os.environ,
                    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
                    **self.variables,
                },
                start_new_session=True,
            )
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                break
            try:
                urlopen(f"{self.uri}/health", timeout=2).close()
            except (URLError, OSError):
                time.sleep(0.3)
            else:
                return
        self.kill()
        raise RuntimeError(f"the server did not come up, see {self.folder / 'server.log'}")

    def kill(self) -> None:
        """Kill the server and its workers at once."""
        if self._process is None:
            return
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._process = None

    def __enter__(self) -> Server:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
