"""``softres run``: one configuration, or a sweep."""

from __future__ import annotations

import sys
from collections.abc import Sequence

__all__ = ["run_command"]


def run_command(arguments: Sequence[str] | None = None) -> int:
    """Run one configuration, or sweep many.

    Parameters
    ----------
    arguments
        Those of the command line by default.

    Returns
    -------
    The exit status; what ends a command early leaves as ``SystemExit``.
    """
    if arguments is not None:
        sys.argv[1:] = arguments  # where Hydra reads them
    if {"-h", "--help"} & set(sys.argv[1:]):
        from softres.cli.help import run_help

        print(run_help())
        return 0
    from softres.config import command_line
    from softres.config.main import main

    command_line(main)
    return 0
