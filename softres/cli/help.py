"""What ``softres run --help`` prints."""

from __future__ import annotations

import re

from softres.common.presets import conf_folder
from softres.common.program import shown_command

__all__ = ["run_help"]


def run_help() -> str:
    """Return the help of the command that runs.

    Hydra prints the same text, but lists every file of ``conf/`` first, for a template that asks
    for the list: that takes ten times as long as all the rest.
    """
    import yaml

    path = conf_folder() / "hydra" / "help" / "softres.yaml"
    parts = yaml.safe_load(path.read_text("utf-8"))
    text = re.sub(r"\$\{hydra\.help\.(\w+)\}", lambda found: parts[found[1]], parts["template"])
    text = re.sub(r"python (?:scripts/)?(\w+)\.py(.*?)( {2,}|$)", _shown, text, flags=re.M)
    return text.replace("$$", "$").rstrip()


def _shown(found: re.Match[str]) -> str:
    """Return a command as one types it here; what is explained beside it stays in its column."""
    command = f"{shown_command(found[1])}{found[2]}"
    return command if not found[3] else f"{command:<{len(found[0])}}"
