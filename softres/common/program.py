"""How the commands of the project are started: from its folder, or as the installed ``softres``."""

from __future__ import annotations

import sys
from pathlib import Path

__all__ = ["PROGRAM", "command_words", "shown_command"]

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
    return f"{PROGRAM} {name}" if installed or not script.is_file() else f"python {_typed(script)}"


def command_words(name: str) -> list[str]:
    """Return the words that start a command in a process of its own, from any folder."""
    script = _script(name)
    if script.is_file():
        return [sys.executable, str(script)]
    return [sys.executable, "-m", PROGRAM, name]


def _script(name: str) -> Path:
    return _ROOT / "run.py" if name == "run" else _ROOT / "scripts" / f"{name}.py"


def _typed(script: Path) -> str:
    return script.relative_to(_ROOT).as_posix()
