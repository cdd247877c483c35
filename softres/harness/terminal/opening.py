"""The beginning of a command: what it changes of the defaults."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from softres.harness.terminal.console import console, show_line

__all__ = ["show_start"]

#: Lines that the changes may take.
LINES = 2


def show_start(changed: Sequence[str], jobs: int) -> None:
    """Print how many jobs a command has and what it changes of the defaults, in short.

    Parameters
    ----------
    changed
        As typed, ``KEY=VALUE``.
    jobs
        How many it runs.
    """
    count = "1 job" if jobs == 1 else f"{jobs} jobs"
    words = " ".join(changed) or "all as by default"
    text = f"{count}: {words} (--cfg job shows the rest)"
    if console.is_terminal:
        text = "\n".join(
            textwrap.wrap(
                text,
                console.width,
                max_lines=LINES,
                placeholder=" ...",
                break_on_hyphens=False,
                subsequent_indent="  ",
            )
        )
    show_line(text, style="dim")
