"""How the commands of the project are started: from its folder, or as the installed ``softres``."""

from __future__ import annotations

import re
import sys
from pathlib import Path

__all__ = ["PROGRAM", "as_typed", "command_words", "shown_command"]

#: The installed command.
PROGRAM = "softres"
_ROOT = Path(__file__).parents[2]


def shown_command(name: str) -> str:
    """Return how one types a command, such as ``run`` or ``sync``, where this process was started.

    That is ``python run.py`` or ``python scripts/sync.py`` in a copy of the project, and ``softres
    run`` or ``softres sync`` for who has typed that, or has no such copy.
    """
    script = _script(name)
    installed = Path(sys.argv[0]).name.partition(" ")[0] == PROGRAM
    if installed or not script.is_file():
        return f"{PROGRAM} {name}"
    return f"python {script.relative_to(_ROOT).as_posix()}"


def as_typed(text: str) -> str:
    """Return a text with each command in it as one types it here, what is beside it in its place.

    Parameters
    ----------
    text
        Names commands as they are in a copy of the project, such as ``python run.py n=5``.
    """
    return re.sub(r"python (?:scripts/)?(\w+)\.py(.*?)( {2,}|$)", _as_typed, text, flags=re.M)


def command_words(name: str) -> list[str]:
    """Return the words that start a command in a process of its own, from any folder."""
    script = _script(name)
    if script.is_file():
        return [sys.executable, str(script)]
    return [sys.executable, "-m", PROGRAM, name]


def _as_typed(found: re.Match[str]) -> str:
    command = f"{shown_command(found[1])}{found[2]}"
    return f"{command:<{len(found[0])}}" if found[3] else command


def _script(name: str) -> Path:
    return _ROOT / "run.py" if name == "run" else _ROOT / "scripts" / f"{name}.py"
