"""List, fetch and describe the real data sets: python scripts/data.py --help."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # works without installation too

from softres.cli.data import data_command

if __name__ == "__main__":
    raise SystemExit(data_command())
