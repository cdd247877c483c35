"""``softres ui``: MLflow's user interface on the runs."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Sequence
from contextlib import closing

from softres.cli.arguments import OneLineParser, add_store, port
from softres.common.errors import InputError

__all__ = ["ui_command"]

HOST = "127.0.0.1"


def ui_command(arguments: Sequence[str] | None = None) -> int:
    """Start MLflow's user interface on the runs."""
    chosen = _parser().parse_args(arguments)
    from softres.tracking import TrackingOptions
    from softres.tracking.charts.ui import UI_ENVIRONMENT, ui_words

    try:
        options = TrackingOptions(uri=chosen.tracking_uri, folder=chosen.folder, port=chosen.port)
        if options.database is None:
            print(f"{options.absolute_uri} is a server: open it in a browser")
            return 0
        if not options.database.is_file():
            raise InputError(f"{options.database}: no such store")
        _check_free(options.port)
    except InputError as error:
        print(f"softres: {error}", file=sys.stderr)
        return 2
    else:
        print(f"http://{HOST}:{options.port} (Ctrl-C ends it)", flush=True)
        words = [sys.executable, "-m", "mlflow", *ui_words(options)]
        # In place of this process: what ends one ends the other.
        os.execve(sys.executable, words, os.environ | UI_ENVIRONMENT)


def _parser() -> OneLineParser:
    parser = OneLineParser(
        description="Start MLflow's user interface on the runs, with two processes and half a "
        "gigabyte where its own defaults take fifteen and two gigabytes."
    )
    add_store(parser)
    parser.add_argument("--port", type=port, default=5000, help="where it listens; default 5000")
    return parser


def _check_free(number: int) -> None:
    """Raise an :class:`InputError` if another program listens on the port."""
    with closing(socket.socket()) as probe:
        # As servers do: connections that were closed a moment ago do not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, number))
        except OSError as error:
            raise InputError(
                f"--port {number}: {error.strerror}; allowed is a port that is free"
            ) from None
