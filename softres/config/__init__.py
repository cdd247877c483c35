"""The command line's configuration: its schema, its checks, and what Hydra calls.

Importing this package is cheap. Only it and ``run.py`` know Hydra and OmegaConf.
"""

from softres.config.console_entry import run_command
from softres.config.schema import register

__all__ = ["register", "run_command"]
