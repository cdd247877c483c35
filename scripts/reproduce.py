"""Run a recorded run again and compare: python scripts/reproduce.py --help."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # works without installation too

from softres.cli.reproduce import reproduce_command

if __name__ == "__main__":
    raise SystemExit(reproduce_command())
