"""Nobody is let in: what a store, a file or a command line holds is neither obeyed nor kept."""

from __future__ import annotations

import gzip
import os
import signal
import sqlite3
import subprocess
import time
from pathlib import Path

from common import command, environment, finish, run

from promised.base import ended, promise, told

#: A password with everything that ends a word somewhere.
PASSWORD = "a/5ecret (with) \"quotes'@and:more"


def _run_id(folder: Path) -> str:
    connection = sqlite3.connect(folder / "results" / "mlflow.db")
    try:
        return str(connection.execute("select run_uuid from runs").fetchone()[0])
    finally:
        connection.close()


def _reproduced(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    script = Path(__file__).parents[2] / "reproduce.py"
    python = command()[0]
    return finish(folder, [python, str(script), _run_id(folder), *words])


def _kept(folder: Path) -> Path:
    (path,) = (folder / "results" / "artifacts").rglob("config.yaml")
    return path


@promise("an address, a path or a size from a store is shown and not followed")
def store_is_not_followed(folder: Path) -> None:
    ended(run(folder, "n=60", "d=3"), 0)
    path = _kept(folder)
    text = path.read_text("utf-8")
    changes = {
        "backend.address": ("address: null", "address: tcp://192.0.2.1:8786"),
        "n=400000": ("n: 60", "n: 400000"),
    }
    for shown, (before, after) in changes.items():
        assert before in text, f"{before!r} is not in config.yaml"
        path.write_text(text.replace(before, after, 1), "utf-8")
        done = _reproduced(folder)
        ended(done, 2)
        told(done, shown, "--trust", most=1)
    path.write_text(text, "utf-8")
    ended(_reproduced(folder), 0)


@promise("a store's YAML of references or of a thousand levels ends in a line")
def store_is_no_trap(folder: Path) -> None:
    ended(run(folder, "n=60", "d=3"), 0)
    path = _kept(folder)
    for text in ("a: &a [1]\nb: [*a, *a]\n", "[" * 3000 + "]" * 3000):
        path.write_text(text, "utf-8")
        done = _reproduced(folder)
        ended(done, 2)
        told(done, "config.yaml", most=1)
    path.unlink()
    os.mkfifo(path)
    done = _reproduced(folder)
    ended(done, 2)
    told(done, "must be a file", most=1)


@promise("a password is neither printed nor left in a file, not even after SIGKILL")
def password_is_not_kept(folder: Path) -> None:
    uri = f"tracking.uri=http://user:{PASSWORD}@127.0.0.1:9"
    done = run(folder, "n=20", "d=3", uri)
    ended(done, 2)
    assert "5ecret" not in done.stdout + done.stderr, "it is printed"
    words = command("-m", "n=20,30", "d=3", "tracking.enabled=false", uri)
    process = subprocess.Popen(
        words,
        cwd=folder,
        env=environment(folder),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < deadline:
        if any(folder.rglob("multirun.yaml")):
            break
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    for path in folder.rglob("*"):
        if path.is_file():
            assert b"5ecret" not in path.read_bytes(), f"it is in {path.relative_to(folder)}"


@promise("a file without an end, or whose head lies, ends in a line")
def data_has_an_end(folder: Path) -> None:
    os.mkfifo(folder / "pipe.csv")
    (folder / "zero.npy").symlink_to("/dev/zero")
    head = b"%%MatrixMarket matrix coordinate real general\n"
    (folder / "rows.mtx").write_bytes(head + b"1000000000000 3 1\n1 1 1\n")
    (folder / "long.mtx.gz").write_bytes(gzip.compress(head + b"%" * (1 << 26)))
    for name in ("pipe.csv", "zero.npy", "rows.mtx", "long.mtx.gz"):
        done = run(folder, "data=file", f"data.path={name}", "tracking.enabled=false")
        ended(done, 2)
        told(done, f"data.path={name}", most=1)
