"""A PostgreSQL server of a test's own."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import pytest

__all__ = ["postgres_database"]


@contextmanager
def postgres_database() -> Iterator[str]:
    """Start a server that runs as no root; yield the address of its empty database.

    Skips the test where PostgreSQL or its driver is not installed.
    """
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found:
        pytest.skip("no PostgreSQL here: apt install postgresql")
    if find_spec("psycopg2") is None:
        pytest.skip("no psycopg2 here: pip install psycopg2-binary")
    user = "postgres" if os.geteuid() == 0 else None
    # Not in pytest's folder, which no other user may enter; and its sockets need a short path.
    folder = Path(tempfile.mkdtemp(prefix="softres-postgres-", dir="/tmp"))
    if user:
        shutil.chown(folder, user)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]

    def call(program: str, *words: str) -> None:
        command = [str(found[-1].parent / program), "-D", str(folder / "data"), *words]
        subprocess.run(command, check=True, cwd=folder, stdout=subprocess.DEVNULL, user=user)

    try:
        call("initdb", "-U", "softres", "--auth=trust")
        options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1"
        call("pg_ctl", "start", "-w", "-l", str(folder / "log"), "-o", options)
        try:
            yield f"postgresql+psycopg2://softres@127.0.0.1:{port}/postgres"
        finally:
            call("pg_ctl", "stop", "-m", "immediate")
    finally:
        shutil.rmtree(folder)
