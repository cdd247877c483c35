"""What every command prints when it is asked for help."""

from __future__ import annotations

import os
import sys
from contextlib import redirect_stdout, suppress
from functools import cache
from io import StringIO
from typing import Any
from unittest.mock import patch

from softres.cli.main import OWN, main

__all__ = ["on_page_markdown"]

MARKER = "<!-- commands -->"
#: The commands that this package brings beside the library's own.
EXPERIMENTS = ("report", "figures", "benchmark", "step-cost")


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Put the help where the page has its marker."""
    return markdown.replace(MARKER, helps()) if MARKER in markdown else markdown


@cache
def helps() -> str:
    """Return the help of every command as Markdown, a section each."""
    return "\n\n".join(
        f"## softres {name}\n\n```text\n{_help(name).strip()}\n```" for name in (*OWN, *EXPERIMENTS)
    )


def _help(name: str) -> str:
    shown = StringIO()
    with (
        patch.dict(os.environ, COLUMNS="100"),
        patch.object(sys, "argv", ["softres"]),
        redirect_stdout(shown),
        suppress(SystemExit),
    ):
        main([name, "--help"])
    return shown.getvalue()
