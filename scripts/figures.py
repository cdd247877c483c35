"""Draw any sweep, or redraw the claims' figures: python scripts/figures.py --help."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # works without installation too

from experiments.report.command import figures_command

if __name__ == "__main__":
    raise SystemExit(figures_command())
