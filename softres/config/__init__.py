"""The command line's configuration: its schema, its checks, and what Hydra calls.

Importing this package is cheap. Only it and ``run.py`` know Hydra and OmegaConf.
"""

from softres.config.choices import register
from softres.config.console_entry import command_line

__all__ = ["command_line", "register"]
