"""``softres run``: one configuration, or a sweep."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import softres
from softres.cli.completion import answer
from softres.common.printing import forgiving_output
from softres.common.program import PROGRAM
from softres.config.help import show_help

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
    forgiving_output()
    if "--version" in sys.argv[1:]:
        print(f"{PROGRAM} {softres.__version__}")
        return 0
    if show_help(sys.argv[1:]) or answer(sys.argv[1:]):
        return 0
    from softres.config.console_entry import main
    from softres.config.console_entry import run_command as run_hydra

    run_hydra(main)
    return 0
