"""Deliver runs that wait for their tracking store: python scripts/sync.py --help."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # works without installation too

from softres.cli.sync import sync_command

if __name__ == "__main__":
    raise SystemExit(sync_command())
