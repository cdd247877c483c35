"""Where the files of ``conf/`` are."""

from __future__ import annotations

from pathlib import Path

__all__ = ["conf_folder"]


def conf_folder() -> Path:
    """Return the folder of the configuration: in the installed package, or beside it.

    A wheel holds it as ``softres/conf``. Who works on the project has it as ``conf/`` at the top
    level, and an editable installation reads that one.
    """
    package = Path(__file__).parents[1]
    inside = package / "conf"
    return inside if inside.is_dir() else package.parent / "conf"
