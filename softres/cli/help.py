"""What ``softres run --help`` prints."""

from __future__ import annotations

import re

from softres.common.presets import conf_folder
from softres.common.program import as_typed

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
    return as_typed(text.replace("$$", "$")).rstrip()
